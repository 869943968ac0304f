// How modules are imported: by Workers, by edge functions, and as text by our own bundler.
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
declare module "*.wasm?base64" {
  const base64: string;
  export default base64;
}
