// A development tool: serves the built pages with the real security policy, invented API answers,
// and HLS made by ffmpeg, so that the pages can be worked on without a station.
//   node dev/mock-server.mjs [port] [fragment seconds]      then e.g. POST /mock {"off":true,"role":"viewer"}
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const port = Number(process.argv[2] ?? 5180);
const fragment = Number(process.argv[3] ?? 2);
const pages = join(dirname(fileURLToPath(import.meta.url)), "../../putlive/api/static");
const hls = mkdtempSync(join(tmpdir(), "putlive-mock-"));
const state = { off: false, role: "admin", signedIn: true, mustChange: false, throttled: false, silent: false, full: false, channels: 2, fps: 30 };
const began = Date.now();
let startedAt = began;
let encoder = null;
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".jpg": "image/jpeg" };
const ago = (s) => new Date(Date.now() - s * 1000).toISOString();

function encode() {
  for (const name of ["source", "144p"]) mkdirSync(join(hls, name), { recursive: true });
  const out = (name, more) => [...more, "-g", String(30 * fragment), "-keyint_min", String(30 * fragment), "-sc_threshold", "0", "-c:a", "aac", "-b:a", "64k", "-f", "hls", "-hls_time", String(fragment), "-hls_list_size", String(Math.ceil(6 / fragment)),
    "-hls_flags", "delete_segments+program_date_time+temp_file", "-hls_start_number_source", "epoch", "-hls_segment_filename", join(hls, name, "demo-%d.ts"), join(hls, name, "demo.m3u8")];
  const x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-map", "0:v", "-map", "1:a"];
  encoder = spawn("ffmpeg", ["-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=854x480:rate=30", "-re", "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4",
    ...out("source", [...x264, "-b:v", "1200k"]), ...out("144p", [...x264, "-vf", "scale=256:144", "-b:v", "200k"]),
    "-map", "0:v", "-vf", "fps=10,scale=256:144", "-update", "1", "-y", join(hls, "preview.jpg")], { stdio: ["ignore", "ignore", "inherit"] });
  writeFileSync(join(hls, "demo.m3u8"), `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-STREAM-INF:BANDWIDTH=1500000,AVERAGE-BANDWIDTH=1300000,RESOLUTION=854x480,FRAME-RATE=30.000,CODECS="avc1.42c01f,mp4a.40.2"\nsource/demo.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=330000,AVERAGE-BANDWIDTH=270000,RESOLUTION=256x144,FRAME-RATE=30.000,CODECS="avc1.42c00c,mp4a.40.2"\n144p/demo.m3u8\n`);
}
function stopEncoder() {
  encoder?.kill("SIGKILL");
  for (const name of ["source", "144p", "demo.m3u8", "preview.jpg"]) rmSync(join(hls, name), { recursive: true, force: true });
}

const keys = [
  { id: "ab12cd34", label: "OBS in the studio", version: 2, created_at: ago(864000), expires_at: null, revoked_at: null, blocked_until: null, last_used_at: ago(900) },
  { id: "kk55ll66", label: "Phone of Maryam", version: 1, created_at: ago(400000), expires_at: ago(-500000), revoked_at: null, blocked_until: ago(-300), last_used_at: ago(4000) },
  { id: "zz00yy11", label: "Old laptop", version: 1, created_at: ago(9000000), expires_at: null, revoked_at: ago(90000), blocked_until: null, last_used_at: null },
].map((k) => ({ channel: "demo", owner: "admin", ...k }));
const keyOut = (k) => ({ ...k, stream_key: state.role === "viewer" || k.revoked_at ? null : `demo?key=${k.id}-abcdefghijklmnopqrstuvwxyz23456${k.version}` });
const rungs = { "144p": true, "480p": false };

const uptime = () => (Date.now() - startedAt) / 1000 + 7200;
const publicOut = (name, title, live) => ({ name, title, on_air: live, state: live ? "live" : "off_air", sentence: live ? "On air." : "Off air: no input is connected.", viewers: live ? 12 : 0, uptime_seconds: live ? uptime() : 0, hls_url: `/live/${name}.m3u8`, started_at: live ? new Date(startedAt).toISOString() : null });
function channelOut(name, title, live) {
  const rate = 1180 + Math.round(120 * Math.sin(Date.now() / 9000));
  return { name, title, enabled: !state.stopped, state: state.stopped ? "stopped" : live ? "live" : "off_air",
    sentence: state.stopped ? "Off air: the channel was stopped by hand." : live ? `On air: live from 203.0.113.24 for ${Math.floor(uptime() / 3600)} h 4 min at ${rate} kbit/s.` : "Off air: an input from 198.51.100.77 was refused 2 min ago.",
    advice: state.stopped ? "Press Start." : live ? "" : "This stream key was revoked. Create or copy another one.", uptime_seconds: live ? uptime() : 0, hls_url: `/live/${name}.m3u8`,
    input: live ? { client_id: "c1", key_id: "ab12cd34", address: "203.0.113.24", since: new Date(startedAt).toISOString(), bitrate_kbps: rate, fps: state.fps, width: 854, height: 480, codecs: "avc1.42c01f,mp4a.40.2", stalled: false } : null,
    viewers: live ? { now: 12 + (Math.floor(Date.now() / 7000) % 4), peak: 31, unique: 208, watch_seconds: 93600, bytes_out: 48_300_000_000 } : { now: 0, peak: 31, unique: 208, watch_seconds: 93600, bytes_out: 48_300_000_000 },
    renditions: [{ name: "source", enabled: true, state: live ? "live" : "waiting", reason: "", width: 854, height: 480, fps: 30, bitrate_kbps: rate, codecs: "" }, ...Object.entries(rungs).map(([n, on]) => ({ name: n, enabled: on, state: on ? (live ? "live" : "waiting") : "off", reason: "", width: 256, height: 144, fps: 15, bitrate_kbps: 204, codecs: "" })),
      { name: "720p", enabled: true, state: "too_small", reason: "The stream is 854x480.", width: 0, height: 0, fps: 0, bitrate_kbps: 0, codecs: "" }], refusal: null };
}
const channels = () => [channelOut("demo", "Demo channel", !state.off), channelOut("chapel", "Chapel, evening prayer", false)].slice(0, state.channels);
const health = () => ({ status: "degraded", timestamp: ago(0), components: { engine: { status: "ok", detail: "SRS 6.0.157, up 3 h" }, nginx: { status: "ok", detail: "answers in 1 ms" }, database: { status: "ok", detail: "1.2 MB" }, disk: { status: "degraded", detail: "91 % used, 2.1 GB free" }, tmpfs: { status: "ok", detail: "14 MB of 500 MB used" } } });
const log = [
  { id: 5, kind: "stream_started", at: ago(90), body: { channel: "demo", client_id: "c1", address: "203.0.113.24" } },
  { id: 4, kind: "publish_denied", at: ago(150), body: { channel: "demo", address: "198.51.100.77", reason: "revoked" } },
  { id: 3, kind: "process_exited", at: ago(4000), body: { process: "demo-480p", exit_code: 255, ran_seconds: 600, next_state: "backoff", reason: "Conversion failed!" } },
  { id: 2, kind: "login_failed", at: ago(90000), body: { user: "root", address: "198.51.100.77" } },
  { id: 1, kind: "engine_changed", at: ago(99000), body: { engine: "srs", up: true, detail: "" } },
];
const user = () => ({ id: 1, username: "admin", role: state.role, must_change_password: state.mustChange });
const session = () => ({ user: user(), csrf_token: "mock-csrf", expires_at: ago(-86400), token: "t", expires_in: 86400, refresh_token: "r" });
const fail = (status, code, message, hint, headers = {}) => ({ status, headers, body: { error: { code, message, hint, fields: {} } } });
const ok = (body, status = 200) => ({ status, body });

function api(method, path, query, body, request) {
  if (path === "/mock") {
    const wasOff = state.off;
    Object.assign(state, body);
    if (state.off && !wasOff) stopEncoder();
    if (!state.off && wasOff) (startedAt = Date.now()), encode();
    return ok(state);
  }
  const live = !state.off;
  const lists = [publicOut("demo", "Demo channel", live), publicOut("chapel", "Chapel, evening prayer", false)].slice(0, state.channels);
  if (path === "/api/public") return ok({ channels: lists });
  const shown = path.match(/^\/api\/public\/(.+)$/);
  if (shown) return lists.find((c) => c.name === shown[1]) ? ok(lists.find((c) => c.name === shown[1])) : fail(404, "not_found", "There is no such channel.", "");
  if (path === "/api/auth/login") {
    if (state.throttled) return fail(429, "too_many_attempts", "Too many attempts to sign in.", "Wait a little, then try again.", { "Retry-After": "25" });
    if (body.password !== "secret-secret") return fail(401, "not_authenticated", "That user name and password do not belong together.", "Look at capital letters and try again.");
    state.signedIn = true;
    return ok(session());
  }
  if (path === "/api/auth/logout") return (state.signedIn = false), ok({ message: "Signed out." });
  if (!state.signedIn) return fail(401, "not_authenticated", "You are not signed in.", "Sign in.");
  if (method !== "GET" && request.headers["x-csrf-token"] !== "mock-csrf" && path !== "/api/auth/refresh") return fail(403, "forbidden", "The CSRF token is missing.", "Load the page again.");
  if (path === "/api/auth/password") return (state.mustChange = false), ok(session());
  if (path.startsWith("/api/auth/")) return ok(session());
  if (path === "/api/channels") return ok({ channels: channels(), total: state.channels });
  if (path === "/api/ingest") return ok({ rtmp_url: "rtmp://tv.example.org:1935/live" });
  if (path === "/api/health/detailed") return ok(health());
  if (path === "/api/log") return ok({ events: log });
  if (path === "/api/history") return ok({ points: Array.from({ length: 600 }, (_, i) => ({ at: ago((600 - i) * 6), viewers: i < 80 ? 0 : Math.round(12 + 9 * Math.sin(i / 55) + (i % 7) / 3), bitrate_kbps: i < 60 || (i > 300 && i < 312) ? 0 : 1200 + Math.round(150 * Math.sin(i / 9) + 60 * Math.sin(i * 3)) })) });
  if (path === "/api/keys" && method === "GET") return ok({ keys: keys.filter((k) => k.channel === query.get("channel")).map(keyOut) });
  if (path === "/api/keys") return keys.push({ id: `n${keys.length}aabbcc`, owner: "admin", version: 1, created_at: ago(0), expires_at: null, revoked_at: null, blocked_until: null, last_used_at: null, ...body }), ok(keyOut(keys.at(-1)), 201);
  const key = keys.find((k) => path.startsWith(`/api/keys/${k.id}`));
  if (key && method === "DELETE") return (key.revoked_at = ago(0)), ok(keyOut(key));
  if (key) return (key.version += 1), (key.blocked_until = null), ok(keyOut(key));
  const rung = path.match(/renditions\/(.+)$/);
  if (rung && rung[1] === "720p") return fail(409, "conflict", "The rendition 720p cannot be switched now.", "Send a larger picture.");
  if (rung) return (rungs[rung[1]] = body.enabled), ok(channels()[0]);
  if (path === "/api/stream/stop" || path === "/api/stream/start") return (state.stopped = path.endsWith("stop")), ok({ message: "Done.", channel: channels()[0] });
  if (path.startsWith("/api/stream/clients/")) return fail(404, "not_found", "Nobody publishes on this channel.", "It has ended already.");
  return fail(404, "not_found", "There is nothing here.", "");
}

function events(request, response) {
  if (!state.signedIn || state.silent) return response.writeHead(state.silent ? 502 : 401).end();
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const say = () => (state.silent ? response.destroy() : response.write(`event: status\ndata: ${JSON.stringify({ channels: channels(), station: {} })}\n\n`));
  say();
  const timer = setInterval(say, 2000);
  request.on("close", () => clearInterval(timer));
}

function file(response, path, headers) {
  try {
    const content = readFileSync(path);
    response.writeHead(200, { "Content-Type": types[extname(path)] ?? "application/octet-stream", ...headers }).end(content);
  } catch {
    response.writeHead(404, headers).end();
  }
}

const csp = (frames) => `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors ${frames}`;
const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  const path = normalize(url.pathname);
  if (path === "/api/events") return events(request, response);
  if (path.endsWith("/preview.jpg")) return file(response, join(hls, "preview.jpg"), {});
  if (path.startsWith("/live/")) {
    if (state.full && path === "/live/demo.m3u8") return response.writeHead(503, { "Retry-After": "5" }).end();
    return file(response, join(hls, path.slice(6)), { "Cache-Control": "no-cache" });
  }
  if (path.startsWith("/api/") || path === "/mock") {
    let text = "";
    for await (const part of request) text += part;
    const { status, body, headers } = api(request.method, path, url.searchParams, text ? JSON.parse(text) : {}, request);
    return response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
  }
  const name = { "/": "/index.html", "/embed": "/embed.html", "/login": "/login.html", "/dashboard": "/dashboard.html" }[path] ?? path;
  file(response, join(pages, name), { "Content-Security-Policy": csp(path === "/embed" ? "*" : "'none'"), "X-Content-Type-Options": "nosniff" });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => (stopEncoder(), rmSync(hls, { recursive: true, force: true }), process.exit(0)));
encode();
server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
