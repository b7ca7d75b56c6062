"""The tables: edits, offers, people, announcements, and what processes share. Telegram keeps the pictures.

Times are seconds since the epoch, UTC. A change here needs a migration in `migrations/versions/`.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

# SQLite numbers rows by itself only in a column declared exactly INTEGER PRIMARY KEY.
_Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")

edits = sa.Table(
    "edits",
    metadata,
    sa.Column(
        "number", _Number, primary_key=True, autoincrement=True, comment="rises with time: the order of the queue"
    ),
    sa.Column("id", sa.String(32), nullable=False, unique=True, comment="128 random bits: stands in links and buttons"),
    sa.Column("key", sa.String(200), nullable=False, unique=True, comment="the same for a repeated request"),
    sa.Column("person", sa.BigInteger, nullable=False),
    sa.Column("chat", sa.BigInteger, nullable=False),
    sa.Column("message", sa.BigInteger, nullable=False),
    sa.Column("operation", sa.String(32), nullable=False),
    sa.Column("file_id", sa.Text, nullable=False),
    sa.Column("file_unique_id", sa.Text, nullable=False),
    sa.Column("as_file", sa.Boolean, nullable=False),
    sa.Column("file_name", sa.Text),
    sa.Column("file_size", sa.BigInteger),
    sa.Column("painted_file_id", sa.Text, comment="a copy of the photo, painted on in Telegram's editor"),
    sa.Column("painted_unique_id", sa.Text),
    sa.Column("finish", sa.String(32), nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("state", sa.String(32), nullable=False),
    sa.Column("stage", sa.String(32)),
    sa.Column("attempt", sa.Integer, nullable=False, comment="rises when the person tries again"),
    sa.Column("starts", sa.Integer, nullable=False, comment="how often this attempt was started"),
    sa.Column("enqueued", sa.Boolean, nullable=False, comment="whether this attempt is in the queue"),
    sa.Column("status_message", sa.BigInteger),
    sa.Column("status_claimed", sa.Float, comment="when a process began to post the status message"),
    sa.Column("mask", sa.LargeBinary, comment="PNG: painted by hand, or the matte that was found"),
    sa.Column("mask_is_matte", sa.Boolean, nullable=False),
    sa.Column("result_file_id", sa.Text),
    sa.Column("result_unique_id", sa.Text),
    sa.Column("result_as_file", sa.Boolean),
    sa.Column("engine", sa.String(32)),
    sa.Column("error", sa.String(64)),
    sa.Column("parent", sa.String(32)),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
    sa.Column("status_after", sa.BigInteger, comment="the status message has a higher message id"),
    sa.Column("mask_key", sa.String(64), comment="the submission of the mask: a repeat is recognised"),
    sa.Column("shadow", sa.Boolean, comment="whether the subject's shadow is erased too; null: yes"),
    sa.Column("chooses", sa.Boolean, comment="whether the person chooses among the objects found; null: no"),
    sa.Column("asks_for_mask", sa.Boolean, comment="cancelled with a mask that only the person can make again"),
    sa.Column("thread", sa.BigInteger, comment="the topic, in a forum"),
    sa.Column("spoiler", sa.Boolean, comment="whether the photo was sent under a spoiler; null: no"),
    sa.Column("guessed", sa.Boolean, comment="whether the bot did not ask for the painted copy; null: no"),
    sa.Column("album_status", sa.BigInteger, comment="the message that counts the answers of its album; null: none"),
    sa.Column("notes", sa.Text, comment="message ids of the notes under its result, by commas; null: none"),
    sa.Column("requested", sa.Float, comment="when the person last asked for it; null: when it was created"),
    sa.Column("background_file_id", sa.Text, comment="the person's own picture, behind the subject; null: none"),
    sa.Column("background_unique_id", sa.Text),
    sa.Column("album", sa.String(64), comment="its media group id; null: none, or each has its own message at once"),
    sa.Index("edits_by_state", "state", "number"),
    sa.Index("edits_by_person", "person", "state"),
    sa.Index("edits_by_age", "updated"),
    sa.Index("edits_by_album", "album"),
    sa.Index("edits_by_message", "message"),
    sa.Index("edits_by_status_message", "status_message"),
    sa.Index("edits_by_album_status", "album_status"),
)

found_objects = sa.Table(
    "found_objects",
    metadata,
    sa.Column("edit", sa.String(32), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, comment="1, 2, …, as the picture shows it"),
    sa.Column("matte", sa.LargeBinary, nullable=False, comment="PNG"),
    sa.Column("chosen", sa.Boolean, nullable=False),
    comment="objects found in an edit's photo; the person chooses by number",
)

quota_uses = sa.Table(
    "quota_uses",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("person", sa.String(64), nullable=False, comment="a hash: a person's id is deleted with their data"),
    sa.Column("edit", sa.String(32), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("payment", sa.BigInteger, comment="the payment that it was taken from; null: one of the day's free ones"),
    sa.Index("quota_uses_by_person", "person", "at"),
    sa.Index("quota_uses_by_edit", "edit"),
    comment="what counts for EDITS_PER_DAY; outlives the edits for 24 hours",
)

invoices = sa.Table(
    "invoices",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True, comment="the payload: Telegram sends it back with the payment"),
    sa.Column("person", sa.BigInteger, nullable=False),
    sa.Column("edits", sa.Integer, nullable=False),
    sa.Column("stars", sa.Integer, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("checkout", sa.Text, comment="the pre-checkout query that was approved; no other one is"),
    sa.Column("approved", sa.Float, comment="when that was"),
    sa.Index("invoices_by_person", "person", "created"),
    comment="packs that people were asked to pay for, for some days",
)

payments = sa.Table(
    "payments",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("charge", sa.Text, nullable=False, unique=True, comment="telegram_payment_charge_id"),
    sa.Column("person", sa.BigInteger, nullable=False),
    sa.Column("stars", sa.BigInteger, nullable=False, comment="the amount, in the currency"),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("edits", sa.Integer, nullable=False, comment="what it gave"),
    sa.Column("unused", sa.Integer, nullable=False, comment="what is left of it"),
    sa.Column("mismatch", sa.String(32), comment="why it gave nothing: it does not fit its invoice; null: it does"),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("notified", sa.Float, comment="when the person was notified; null: not yet"),
    sa.Column("refunding", sa.Float, comment="when a refund began, whose outcome may be unknown; its edits are locked"),
    sa.Column("refunded", sa.Float),
    sa.Index("payments_by_person", "person", "number"),
    sa.Index("payments_to_notify", "notified", "number"),
    comment="Stars that were paid; /delete_my_data keeps them",
)

support_requests = sa.Table(
    "support_requests",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("asker", sa.String(64), nullable=False, comment="a hash: a person's id is deleted with their data"),
    sa.Column("person", sa.BigInteger, comment="null once it was passed on"),
    sa.Column("message", sa.BigInteger, nullable=False),
    sa.Column("text", sa.Text, comment="what the admins get; null once it was passed on"),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("sent", sa.Float, comment="when it was passed on; null: not yet"),
    sa.UniqueConstraint("asker", "message"),
    comment="/paysupport of the last 24 hours",
)

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True, comment="128 random bits: stands in buttons"),
    sa.Column("person", sa.BigInteger, nullable=False),
    sa.Column("chat", sa.BigInteger, nullable=False),
    sa.Column("message", sa.BigInteger, nullable=False),
    sa.Column("file_id", sa.Text, nullable=False),
    sa.Column("file_unique_id", sa.Text, nullable=False),
    sa.Column("as_file", sa.Boolean, nullable=False),
    sa.Column("file_name", sa.Text),
    sa.Column("file_size", sa.BigInteger),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("status_message", sa.BigInteger),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("status_claimed", sa.Float, comment="when a process began to post the question"),
    sa.Column("status_after", sa.BigInteger, comment="the question has a higher message id"),
    sa.Column("thread", sa.BigInteger, comment="the topic, in a forum"),
    sa.Column("spoiler", sa.Boolean, comment="whether the photo was sent under a spoiler; null: no"),
    sa.Column("album", sa.String(64), comment="its media group id"),
    sa.Column("silent", sa.Boolean, comment="whether the question is not asked yet; null: it is"),
    sa.UniqueConstraint("chat", "message"),
    sa.Index("offers_by_person", "person", "created"),
    sa.Index("offers_by_age", "created"),
    sa.Index("offers_by_message", "message"),
    sa.Index("offers_by_status_message", "status_message"),
    comment="photos that came without a command; the bot asks what to do",
)
sa.Index(
    "offers_silent",
    offers.c.created,
    sqlite_where=offers.c.silent.is_(True),
    postgresql_where=offers.c.silent.is_(True),
)

pending_commands = sa.Table(
    "pending_commands",
    metadata,
    sa.Column("chat", sa.BigInteger, primary_key=True),
    sa.Column(
        "about",
        sa.String(80),
        primary_key=True,
        comment="person:ID (:photo:MESSAGE once taken), or album:MEDIA_GROUP_ID",
    ),
    sa.Column("operation", sa.String(32), nullable=False),
    sa.Column("expires", sa.Float, nullable=False),
    sa.Column("finish", sa.String(32), comment="what replaces the background; null: the default"),
    sa.Column("edit", sa.String(32), comment="the photo goes behind this edit's subject; null: it is edited"),
    comment="a command that waits for its photo, or for the rest of its album",
)

person_settings = sa.Table(
    "person_settings",
    metadata,
    sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("language", sa.String(16), comment="of the texts; null: the one that Telegram tells"),
    sa.Column("finish", sa.String(32), comment="what replaces the background unless said; null: the default"),
    sa.Column("delivery", sa.String(16), comment="how results are sent; null: as the photo came"),
    sa.Column("bare_photos", sa.String(32), comment="what is done with a photo without a command; null: ask"),
    sa.Column("keeps_history", sa.Boolean, comment="whether edits are kept for RETENTION_HOURS; null: yes"),
    sa.Column("changed", sa.Float, nullable=False),
    sa.Index("person_settings_by_age", "changed"),
    sa.Index("person_settings_by_history", "keeps_history"),
    comment="what people have chosen with /settings",
)

deletions = sa.Table(
    "deletions",
    metadata,
    sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("requested", sa.Float, nullable=False, comment="what the person asks for later stays"),
    sa.Column("chat", sa.BigInteger, nullable=False),
    sa.Column("message", sa.BigInteger, nullable=False, comment="the message that becomes the receipt"),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("edits", sa.Integer, nullable=False, comment="deleted so far"),
    sa.Column("files", sa.Integer, nullable=False, comment="deleted so far"),
    comment="people who asked for the deletion of their data, until it is done",
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("last_seen", sa.Float, nullable=False, comment="the last request in any chat"),
    sa.Column("last_private", sa.Float, comment="the last request in the private chat; null: none"),
    sa.Column("blocked", sa.Float, comment="when it was noticed that the person has blocked the bot"),
    sa.Index("people_by_age", "last_seen"),
    comment="who used the bot in the last 30 days",
)

bans = sa.Table(
    "bans",
    metadata,
    sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False, comment="a person, or a chat (negative)"),
    sa.Column("since", sa.Float, nullable=False),
    sa.Column("reason", sa.String(200), comment="in the operator's words; /delete_my_data deletes it"),
    comment="who may not use the bot",
)

daily_counts = sa.Table(
    "daily_counts",
    metadata,
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False, comment="days since the epoch, UTC"),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    comment="what /stats shows; nothing about a person",
)

work_times = sa.Table(
    "work_times",
    metadata,
    sa.Column("work", sa.String(64), primary_key=True, comment="operation, where the mask is from, class of size; any"),
    sa.Column("engine", sa.String(32), primary_key=True),
    sa.Column("log_seconds", sa.Float, nullable=False, comment="average of the logarithms; new ones weigh most"),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("measured", sa.Float, nullable=False, comment="when the last edit was measured"),
    comment="how long recent edits took; nothing about a person",
)

announcements = sa.Table(
    "announcements",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True),
    sa.Column("chat", sa.BigInteger, nullable=False, comment="private chat of the admin who announces"),
    sa.Column("message", sa.BigInteger, nullable=False, comment="the admin's command"),
    sa.Column("copied", sa.BigInteger, comment="the message in that chat that is copied; null: the text is sent"),
    sa.Column("text", sa.Text),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("panel", sa.BigInteger, comment="the message that shows the progress"),
    sa.Column("total", sa.Integer, nullable=False, comment="how many people get it"),
    sa.Column("sent", sa.Integer, nullable=False),
    sa.Column("blocked", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("unclear", sa.Integer, nullable=False, comment="it is not known whether they got it"),
    sa.Column("created", sa.Float, nullable=False),
    sa.UniqueConstraint("chat", "message"),
    comment="messages of the admins to all people",
)

announcement_recipients = sa.Table(
    "announcement_recipients",
    metadata,
    sa.Column("announcement", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("claimed", sa.Float, comment="when a process began to send it; null: it is to be sent"),
    comment="who is still to get an announcement; a row is deleted once its outcome is known",
)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("number", _Number, primary_key=True, autoincrement=True, comment="the order of the calls"),
    sa.Column("expires", sa.Float, nullable=False, comment="renewed while its holder is alive"),
    comment="calls to the cloud that wait or run",
)

executors = sa.Table(
    "executors",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("beat", sa.Float, nullable=False, comment="its last heartbeat"),
    sa.Column("version", sa.String(32), comment="application version: which workflows it can continue"),
    comment="the processes that take edits from the queue",
)

rate_limits = sa.Table(
    "rate_limits",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True, comment="name of the token bucket"),
    sa.Column("full_at", sa.Float(53), nullable=False, comment="when the bucket would be full again"),
    comment="token buckets that all processes share",
)
