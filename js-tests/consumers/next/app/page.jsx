"use client";
// The page seals in the browser: the bundler takes the entry for browsers.
import { useEffect, useState } from "react";
import { main } from "../main.mjs";

export default function Page() {
  const [said, say] = useState("");
  useEffect(() => void main().then(say, (error) => say(String(error))), []);
  useEffect(() => void (document.title = said), [said]);
  return <p>{said}</p>;
}
