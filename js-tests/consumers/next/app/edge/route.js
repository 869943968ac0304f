// A route in the edge runtime.
import { main } from "../../main.mjs";

export const runtime = "edge";

export async function GET() {
  return new Response(await main());
}
