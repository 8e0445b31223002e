import { assert, describe, it } from "@effect/vitest"
import { importCycles } from "../../.ci/house/importCycles.ts"
import rooms from "../../.ci/house/rooms.json" with { type: "json" }
import { readPackages, repositoryRoot, type SourcePackage, sourceFiles } from "../../.ci/house/SourceTree.ts"
import { type RoomOrder, upwardArrows } from "../../.ci/house/upwardArrows.ts"

const order: RoomOrder = {
  packages: [["packages/low"], ["packages/one", "packages/two"]],
  rooms: {
    "packages/low/src": [["ground"], ["left", "right"], ["roof"]],
    "packages/one/src": [],
    "packages/two/src": []
  }
}

const packageOf = (folder: string, texts: Readonly<Record<string, string>>): SourcePackage => ({
  folder,
  name: `@x/${folder.split("/")[1]}`,
  files: sourceFiles(new Map(Object.entries(texts).map(([path, text]) => [`${folder}/src/${path}`, text])))
})

const low = (texts: Readonly<Record<string, string>>) => upwardArrows([packageOf("packages/low", texts)], order)

describe("the order of rooms", () => {
  it("allows imports from lower rooms and within one", () => {
    const texts = {
      "ground/A.ts": "",
      "left/B.ts": 'import { a } from "../ground/A.ts"\nimport { c } from "./C.ts"',
      "left/C.ts": "",
      "roof/D.ts": 'import { b } from "../left/B.ts"',
      "index.ts": 'export { d } from "./roof/D.ts"'
    }
    assert.deepStrictEqual(low(texts), [])
  })

  it("finds an import from a higher room, of types, dynamic or for effect", () => {
    for (const line of [
      'import { d } from "../roof/D.ts"',
      'import type { D } from "../roof/D.ts"',
      'import {\n  d,\n  e\n} from "../roof/D.ts"',
      'export * from "../roof/D.ts"',
      'import "../roof/D.ts"',
      'const d = () => import("../roof/D.ts")'
    ]) {
      const found = low({ "ground/A.ts": line, "roof/D.ts": "" })
      assert.deepStrictEqual(
        found,
        ["packages/low/src/ground/A.ts imports packages/low/src/roof/D.ts, and ground is not above roof"],
        line
      )
    }
  })

  it("finds an import from a room of the same layer", () => {
    assert.lengthOf(low({ "left/B.ts": 'import { e } from "../right/E.ts"', "right/E.ts": "" }), 1)
  })

  it("finds an import through files beside the rooms", () => {
    const found = low({
      "ground/A.ts": 'import { x } from "../x.ts"',
      "x.ts": 'import { y } from "./y.ts"',
      "y.ts": 'import { d } from "./roof/D.ts"',
      "roof/D.ts": ""
    })
    assert.lengthOf(found, 1)
    assert.include(found[0], "through packages/low/src/x.ts, packages/low/src/y.ts")
  })

  it("passes over examples in comments", () => {
    const text = '/**\n * import { d } from "../roof/D.ts"\n */\n// import { d } from "../roof/D.ts"'
    assert.deepStrictEqual(low({ "ground/A.ts": text, "roof/D.ts": "" }), [])
  })

  it("names a room and a package that have no place", () => {
    assert.match(low({ "attic/A.ts": "" }).join(), /packages\/low\/src\/attic has no place/)
    assert.match(upwardArrows([packageOf("packages/new", {})], order).join(), /packages\/new has no place/)
  })

  it("finds an import from a package that is not below", () => {
    const one = packageOf("packages/one", { "A.ts": 'import { b } from "@x/two"\nimport { l } from "@x/low/sub"' })
    const found = upwardArrows([one, packageOf("packages/two", {}), packageOf("packages/low", {})], order)
    assert.deepStrictEqual(found, ["packages/one/src/A.ts imports @x/two, and packages/one is not above packages/two"])
  })
})

describe("import cycles", () => {
  it("are found, of any length", () => {
    const files = packageOf("packages/low", {
      "A.ts": 'import "./B.ts"',
      "B.ts": 'import type { C } from "./C.ts"',
      "C.ts": 'import "./A.ts"\nimport "./D.ts"',
      "D.ts": 'import "./D.ts"'
    }).files
    assert.deepStrictEqual(
      importCycles(files).map((cycle) => cycle.map((path) => path.slice(-4)).join("")),
      ["A.tsB.tsC.ts", "D.ts"]
    )
  })

  it("are not seen where two paths meet", () => {
    const files = packageOf("packages/low", {
      "A.ts": 'import "./B.ts"\nimport "./C.ts"',
      "B.ts": 'import "./D.ts"',
      "C.ts": 'import "./D.ts"',
      "D.ts": ""
    }).files
    assert.deepStrictEqual(importCycles(files), [])
  })
})

describe("this repository", () => {
  const packages = readPackages(repositoryRoot)

  it("is read", () => {
    assert.isAbove(packages.length, 5)
    assert.isAbove(packages.flatMap(({ files }) => files.flatMap(({ imports }) => imports)).length, 500)
  })

  it("has no upward arrow", () => assert.deepStrictEqual(upwardArrows(packages, rooms), []))

  it("has no import cycle", () => {
    for (const { files } of packages) assert.deepStrictEqual(importCycles(files), [])
  })
})
