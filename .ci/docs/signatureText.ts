import type { Node } from "typescript/unstable/ast"
import {
  isArrowFunction,
  isCallExpression,
  isClassDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isVariableDeclaration
} from "typescript/unstable/ast/is"
import type { Project } from "typescript/unstable/sync"

/** Constants of more lines are shown by their types, and types of more characters not at all. */
const longestConstant = 40
const longestType = 400

/** `NoTruncation` of the checker. */
const noTruncation = 1

/**
 * Writes what a declaration promises, without its bodies: interfaces and types as their source has them, classes without what
 * their methods do, functions as their parameters and what they return, other constants as their source or their type.
 */
export const signatureText = (declaration: Node, name: string, project: Project): string => {
  const source = declaration.getSourceFile().text
  if (isClassDeclaration(declaration)) return classText(declaration, source, project)
  if (isFunctionDeclaration(declaration))
    return `function ${name}${callText(declaration, declaration, source, project)}`
  if (!isVariableDeclaration(declaration)) return withoutExport(declaration.getText())
  const { initializer } = declaration
  const inner = initializer === undefined ? undefined : functionIn(initializer)
  if (inner !== undefined) return `const ${name}: ${callText(inner, declaration, source, project, " =>")}`
  if (declaration.type !== undefined) return `const ${name}: ${declaration.type.getText()}`
  const text = `const ${declaration.getText()}`
  if (text.split("\n").length <= longestConstant) return text
  return `const ${name}: ${typeText(declaration, project) ?? "..."}`
}

const withoutExport = (text: string) => text.replace(/^(?:export|declare) /, "")

type Parameter = Node & { readonly name: Node; readonly type?: Node; readonly initializer?: Node }

type Callable = Node & {
  readonly parameters: ReadonlyArray<Parameter>
  readonly type?: Node
  readonly typeParameters?: ReadonlyArray<Node>
}

/** Finds the function that a constant is: an arrow, or what is given to `Effect.fn` and its like. */
const functionIn = (expression: Node): Callable | undefined => {
  if (isArrowFunction(expression)) return expression as Callable
  if (!isCallExpression(expression)) return undefined
  const [first] = expression.arguments
  const isWrapped = /^Effect\.fn/.test(expression.getText())
  return isWrapped && first !== undefined && isFunctionExpression(first) ? (first as Callable) : undefined
}

/** A parameter as callers see it: what has a default is optional, and what is destructured is called by one name. */
const parameterText = (parameter: Parameter): string => {
  const { initializer, name, type } = parameter
  if (initializer === undefined && !name.getText().startsWith("{")) return parameter.getText()
  const called = name.getText().startsWith("{") ? "options" : name.getText()
  return `${called}${initializer === undefined ? "" : "?"}${type === undefined ? "" : `: ${type.getText()}`}`
}

const callText = (callable: Callable, declaration: Node, source: string, project: Project, arrow = ":"): string => {
  const [firstType] = callable.typeParameters ?? []
  const generics =
    firstType === undefined ? "" : `<${callable.typeParameters?.map((each) => each.getText()).join(", ")}>`
  const parameters = callable.parameters.map(parameterText)
  const returns =
    callable.type === undefined
      ? returnText(declaration, project)
      : source.slice(callable.type.getStart(), callable.type.end)
  const joined = parameters.join(", ")
  const list = joined.length > 90 ? `(\n  ${parameters.join(",\n  ")}\n)` : `(${joined})`
  return `${generics}${list}${returns === undefined ? "" : `${arrow} ${returns}`}`
}

const returnText = (declaration: Node, { checker }: Project): string | undefined => {
  const type = checker.getTypeAtLocation(declaration)
  const [signature] = type === undefined ? [] : checker.getSignaturesOfType(type, 0)
  const returned = signature === undefined ? undefined : checker.getReturnTypeOfSignature(signature)
  const text = returned === undefined ? "" : checker.typeToString(returned, undefined, noTruncation)
  return text === "" || text.length > longestType ? undefined : text
}

const typeText = (declaration: Node, { checker }: Project): string | undefined => {
  const type = checker.getTypeAtLocation(declaration)
  const text = type === undefined ? "" : checker.typeToString(type, undefined, noTruncation)
  return text === "" || text.length > longestType ? undefined : text
}

type ClassNode = Node & {
  readonly members: ReadonlyArray<Node & { readonly body?: Node; readonly initializer?: Node }>
}

const memberText = (member: Node & { readonly initializer?: Node }, head: string, project: Project): string => {
  const inner = member.initializer === undefined ? undefined : functionIn(member.initializer)
  const text = head.trimEnd().replace(/\s*=$/, "")
  return inner === undefined ? text : `${text}: ${callText(inner, member, member.getSourceFile().text, project, " =>")}`
}

const classText = (declaration: ClassNode, source: string, project: Project): string => {
  const [first] = declaration.members
  const head =
    first === undefined
      ? declaration.getText().replace(/\s*\{\s*\}$/, " {")
      : source.slice(declaration.getStart(), first.getFullStart()).trimEnd()
  const members = declaration.members
    .filter((member) => !/^(?:private\b|(?:static )?#|declare private)/.test(member.getText()))
    .map((member) => {
      const end = member.body?.getStart() ?? member.initializer?.getFullStart() ?? member.end
      const docs = source
        .slice(member.getFullStart(), member.getStart())
        .replace(/^\s*\n/, "")
        .trimEnd()
      return [
        ...(docs === "" ? [] : [docs]),
        `  ${memberText(member, source.slice(member.getStart(), end), project)}`
      ].join("\n")
    })
  return withoutExport(members.length === 0 ? `${head}}` : [head, ...members, "}"].join("\n"))
}
