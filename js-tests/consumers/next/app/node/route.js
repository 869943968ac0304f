// A route in Node.
import { main } from "../../main.mjs";

export const dynamic = "force-dynamic";

export async function GET() {
  return new Response(await main());
}
