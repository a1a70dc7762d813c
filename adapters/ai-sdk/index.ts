/** @module Package entry `./ai-sdk`: the AI SDK in handlers, with recorded model calls; and its models as endpoints of the gateway. */
import "../../runtime/zod-version.ts";
export { aiSdk, type AiSdkOptions } from "./endpoint.ts";
export { type AiSdkModel, recorded, type RecordingContext } from "./recorded.ts";
export { toolSet } from "./tools.ts";
