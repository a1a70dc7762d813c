/** @module The entry of the dashboard. */
import { createRoot } from "react-dom/client";
import { App } from "./shell/app.tsx";
import "./style.css";

const root = document.getElementById("page");
if (root !== null) createRoot(root).render(<App />);
