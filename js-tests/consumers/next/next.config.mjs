// Node loads the package by itself, so that it finds the module beside its files.
export default { serverExternalPackages: ["reseal"] };
