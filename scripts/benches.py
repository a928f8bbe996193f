"""What each bench measures, in the order of docs/performance.md."""

BENCHES = {
    "latency": (
        "Decisions: latency",
        "Single decisions in process, on one thread, by profile: `typical`, `heavy`, `worst` and "
        "`wide`, whose principal is drawn by Zipf or uniformly; and `single`, policies of one "
        "statement, by how many there are. A call in a row shares the reading of the clock with all "
        "others. The anchor is the least that could be done: the texts of the statements compared "
        "from flat memory.",
    ),
    "engines": (
        "Decisions: other engines",
        "The same policies of one statement and the same requests, in one run, each engine in its "
        "best usage; what that is stands in `benches/engines/src/lib.rs`. The answers are compared "
        "first.",
    ),
    "decide": (
        "Decisions: medians",
        "What criterion says of one decision; its spread is criterion's.",
    ),
    "instructions": (
        "Instructions",
        "Instructions under valgrind, of a thousand each: steady where clocks are not. "
        "`scripts/gate.sh` holds them to 2 %.",
    ),
    "handler": (
        "The handler without the network",
        "From the bytes of a question to the bytes of its answer over 10,000 policies, three request "
        "tags and three resource tags each, beside prost's decoding and encoding of the same "
        "messages alone.",
    ),
    "grpc": (
        "Calls over gRPC",
        "A server on one core and raw HTTP/2 load on the other, by turns with a bare tonic method "
        "that answers a constant to the same messages on the same runtime and sockets: the anchor. "
        "For batches and streams the anchor is single calls. A round is void unless the server's "
        "core was 95 % busy.",
    ),
    "mesh": (
        "Through Envoy",
        "Requests through a real Envoy that asks tagwarden, beside the same Envoy that asks a server "
        "which always says OK.",
    ),
    "load": (
        "Start and size",
        "The release binary as a process: until the socket answers and the log says that the "
        "snapshot is in force; the resident memory three seconds later.",
    ),
    "compile": (
        "Documents to a snapshot",
        "Policies of one statement from their bytes on one processor, beside what `serde_json` takes "
        "to parse the same bytes into `Value`.",
    ),
    "size": (
        "Bytes of a snapshot",
        "What the allocator was asked for and not given back, by policies of one statement.",
    ),
    "change": (
        "Changes",
        "From a change to a snapshot that holds it, over 1,000,000 principals and 100,000 policies.",
    ),
    "swap": (
        "Decisions beside swaps",
        "Tails of decisions while snapshots are swapped all the time, by turns with the same without "
        "swaps: the anchor.",
    ),
    "comply": (
        "Verdicts on tags",
        "20 tags judged by tag policies of 50 keys, and compiling the tag policies of an "
        "organization.",
    ),
    "directory": (
        "The directory",
        "Look-ups, first pages of searches, and how long a reader waits while the directory grows, "
        "beside looks into a table that nobody changes.",
    ),
    "directory_writes": (
        "Durable writes of tags",
        "Over the management channel, by one writer and by many at once; how many of them one sync "
        "made durable; and the tail of decisions beside 2,000 writes a second.",
    ),
}
