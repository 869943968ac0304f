// What `reseal/slim` exports: there are no formats of other systems, and no manifest.
export * from "./index-common.js";
export * as codecs from "./codecs-own.js";
