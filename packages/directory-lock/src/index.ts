export { DirectoryInUse, holdDirectory } from "./DirectoryLock.ts"
export { lockFileName } from "./Holder.ts"
