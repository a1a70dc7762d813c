/** @module Package entry `./openai-agents`: OpenAI's Agents SDK in handlers, with recorded model calls and recorded tools. */
import "../../runtime/zod-version.ts";
export { recorded, type RecordingContext } from "./recorded.ts";
export { toolList } from "./tools.ts";
