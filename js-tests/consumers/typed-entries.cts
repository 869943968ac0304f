// The same of CommonJS.
import inline = require("reseal/inline");
import slim = require("reseal/slim");
import slimInline = require("reseal/slim/inline");

const ring: slim.Keyring = new slim.Keyring({ primary: slim.Key.generate() });
const other: inline.Manifest = inline.Manifest.parse("version = 1");
export = [ring, other, slimInline.version];
