/** The shapes of PutLive's HTTP API that these pages read. */

export interface PublicChannel {
  readonly name: string;
  readonly title: string;
  readonly on_air: boolean;
  readonly state: string;
  readonly sentence: string;
  readonly viewers: number;
  readonly uptime_seconds: number;
  readonly hls_url: string;
  readonly started_at: string | null;
}

export interface User {
  readonly id: number;
  readonly username: string;
  readonly role: "admin" | "operator" | "viewer";
  readonly must_change_password: boolean;
}

export interface SessionInfo {
  readonly user: User;
  readonly csrf_token: string;
}

export interface InputInfo {
  readonly client_id: string;
  readonly key_id: string;
  readonly address: string;
  readonly since: string;
  readonly bitrate_kbps: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly codecs: string;
  readonly stalled: boolean;
}

export interface Viewers {
  readonly now: number;
  readonly peak: number;
  readonly unique: number;
  readonly watch_seconds: number;
  readonly bytes_out: number;
}

export interface Rendition {
  readonly name: string;
  readonly enabled: boolean;
  readonly state: string;
  readonly reason: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly bitrate_kbps: number;
  readonly codecs: string;
}

export interface Channel {
  readonly name: string;
  readonly title: string;
  readonly enabled: boolean;
  readonly state: string;
  readonly sentence: string;
  readonly advice: string;
  readonly uptime_seconds: number;
  readonly hls_url: string;
  readonly input: InputInfo | null;
  readonly viewers: Viewers;
  readonly renditions: readonly Rendition[];
}

export interface StreamKey {
  readonly id: string;
  readonly channel: string;
  readonly label: string;
  readonly owner: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly blocked_until: string | null;
  readonly last_used_at: string | null;
  readonly version: number;
  readonly stream_key: string | null;
}

export interface HistoryPoint {
  readonly at: string;
  readonly viewers: number;
  readonly bitrate_kbps: number;
}

export interface LoggedEvent {
  readonly id?: number | string;
  readonly kind: string;
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}
