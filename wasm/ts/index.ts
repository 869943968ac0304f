// What the whole package exports.
export * from "./index-common.js";
export * as codecs from "./codecs.js";
export type {
  DjangoCryptographyOptions,
  DjangoFernetOptions,
  FernetFieldsOptions,
  FernetOptions,
  ForeignOptions,
  FreeboardOptions,
  MetabaseOptions,
  N8nOptions,
  N8nRow,
  RailsOptions,
  RailsScheme,
  SentryOptions,
  SqlalchemyUtilsOptions,
} from "./codec-options.js";
export type { N8nUnwrapOptions } from "./n8n-keys.js";
export { Manifest } from "./manifest.js";
export type {
  ManifestCodec,
  ManifestColumn,
  ManifestFact,
  ManifestIndex,
  ManifestProblem,
} from "./manifest-facts.js";
export type { ManifestOptions } from "./manifest-outside.js";
