import { ScraperApi } from "@sluice/contract"
import { HttpApiBuilder } from "effect/http-api"
import { notOffered } from "../errorResponse.ts"

const search = () => notOffered("web search")

/** The endpoints of the contract that this server answers with 501. */
export const NotOfferedHandlers = HttpApiBuilder.group(ScraperApi, "search", (handlers) =>
  handlers.handleAll({ search, listSearchJobs: search, getSearchJob: search })
)
