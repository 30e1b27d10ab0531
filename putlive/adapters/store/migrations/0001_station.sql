-- Channels, keys, users, logins and what happened. Times are text in ISO 8601, UTC, with
-- microseconds, so that comparing the text compares the times.

create table channels (
    id integer primary key,
    name text not null unique,
    title text not null,
    enabled integer not null default 1,
    max_viewers integer not null default 0
);

-- Only what was switched by hand; everything else is as the settings say.
create table channel_renditions (
    channel_id integer not null references channels (id) on delete cascade,
    name text not null,
    enabled integer not null,
    primary key (channel_id, name)
) without rowid;

create table users (
    id integer primary key,
    name text not null,
    folded_name text not null unique,  -- case folded by Python: `collate nocase` knows a-z only
    role text not null,
    password_hash text not null,
    active integer not null default 1,
    must_change_password integer not null default 0,
    created_at text not null
);

create table stream_keys (
    id text not null primary key,
    channel text not null references channels (name),
    user_id integer not null references users (id),
    label text not null,
    version integer not null,
    created_at text not null,
    expires_at text,
    revoked_at text,
    blocked_until text,
    last_used_at text
);

create table sessions (
    id text not null primary key,
    user_id integer not null references users (id) on delete cascade,
    refresh_hash text not null,
    created_at text not null,
    expires_at text not null,
    address text not null,
    agent text not null,
    revoked_at text
);

create index sessions_by_expiry on sessions (expires_at);

create table events (
    id integer primary key autoincrement,  -- a number once given is never given again
    kind text not null,
    at text not null,
    body text not null
);

create index events_by_time on events (at);
create index events_by_kind on events (kind, id);
