"""The names of all jobs, as the queue stores them; `federation.jobs.JOBS` says what each does."""

from __future__ import annotations

FANOUT = "fanout"
RELEASE = "release"
CLOSE_POLL = "close-poll"
SEND_COUNTS = "send-counts"
REFRESH_POLL = "refresh-poll"
THREAD = "thread"
FETCH_ACTOR = "fetch-actor"
SYNC_FOLLOWERS = "sync-followers"
FIRST_POSTS = "beginnings"
PROFILE_TOTALS = "profile-totals"
QUOTE_PROOF = "quote-proof"
CONFIRM_GONE = "confirm-gone"
SWEEP = "sweep"
CHECK_DATABASE = "check-database"
NODEINFO = "nodeinfo"
VERIFY_LINKS = "verify-links"
PUSH = "push"
INDEX_POSTS = "index-posts"
WEBSUB = "websub"
FETCH_MEDIA = "fetch-media"
EXPORT = "export"
IMPORT = "import"

AT_A_MOMENT = (RELEASE, CLOSE_POLL)  # what somebody wants done at a certain time of day, not before
