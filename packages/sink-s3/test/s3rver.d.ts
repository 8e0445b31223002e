// The part of the package that the tests use; it ships no types.
declare module "s3rver" {
  export default class S3rver {
    constructor(options: {
      readonly port: number
      readonly address: string
      readonly silent: boolean
      readonly directory: string
    })
    readonly run: () => Promise<{ readonly port: number }>
    readonly close: () => Promise<void>
  }
}
