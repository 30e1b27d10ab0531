// hls.js ships the types of its light build (no alternate audio, subtitles, DRM) only under the full build's name.
declare module "hls.js/light" {
  export * from "hls.js";
  export { default } from "hls.js";
}
