"use client";
import { PageError } from "../components/frame/page-error.tsx";

export default PageError;
