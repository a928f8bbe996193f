// Asks tagwarden what alice may do and whether tags comply, and handles every way to get no answer.
//
// An answer is ALLOW or DENY. Everything else is an exception here, NotDecided: whoever enforces
// then does what its own failure mode says, which for most is to refuse.
// Usage: node client.js HOST:PORT PROTO_DIRECTORY

import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const ALICE = "acs:ram::123456789012:user/alice";
const GROUPS = "acs:eci:cn-hangzhou:123456789012:containergroup/";
const DEADLINE = 2_000;
// Longer than the server waits for a revision: what it says of that comes in time.
const PATIENT = 4_000;
const TRIES = 2;

const [address, protos] = process.argv.slice(2);
const types = loader.loadSync(
  [
    "tagwarden/v1/authorization.proto",
    "tagwarden/v1/tagging.proto",
    "google/rpc/error_details.proto",
  ],
  {
    includeDirs: [protos, join(protos, "vendor")],
    keepCase: true,
    enums: String,
    longs: String,
    oneofs: true,
    defaults: true,
  },
);
const { AuthorizationService, TaggingService } = grpc.loadPackageDefinition(types).tagwarden.v1;
const message = (name) => types[`google.rpc.${name}`];

/** There is no answer. `retryAfter` is in milliseconds, or undefined where asking again is of no use. */
class NotDecided extends Error {
  reason = "";
  place = "";
  retryAfter = undefined;

  /** Of a `google.rpc.Status`. Details whose type is not known matter to nobody here. */
  constructor({ code, message: said, details }) {
    super(said);
    this.code = grpc.status[code];
    for (const { type_url: url, value } of details) {
      this.#read(url.replace("type.googleapis.com/google.rpc.", ""), value);
    }
  }

  #read(name, bytes) {
    const read = () => message(name).deserialize(bytes);
    if (name === "ErrorInfo") this.reason = read().reason;
    if (name === "BadRequest") this.place = read().field_violations[0].field;
    if (name === "PreconditionFailure") this.place = read().violations[0].subject;
    if (name === "RetryInfo") {
      const { seconds, nanos } = read().retry_delay;
      this.retryAfter = Number(seconds) * 1_000 + nanos / 1e6;
    }
  }

  /** Of the error of a call: a status without details comes from the way there, not from tagwarden. */
  static of(error) {
    const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
    const bare = { code: error.code, message: error.details, details: [] };
    return new NotDecided(bytes ? message("Status").deserialize(bytes) : bare);
  }

  toString() {
    const reason = this.reason && ` ${this.reason}`;
    return `not decided: ${this.code}${reason}${this.place && ` in ${this.place}`}`;
  }
}

/** One call, tried again only where the server says that this may help. */
async function asked(client, method, request, deadline = DEADLINE) {
  for (let attempt = 1; ; attempt++) {
    const answered = await new Promise((resolve) => {
      const options = { deadline: Date.now() + deadline };
      client[method](request, options, (error, answer) => resolve({ error, answer }));
    });
    if (!answered.error) return answered.answer;
    const refused = NotDecided.of(answered.error);
    if (refused.retryAfter === undefined || attempt === TRIES) throw refused;
    await sleep(refused.retryAfter);
  }
}

/** A request about one container group; `tags` are pairs. */
function question(action, group, tags = [], others = {}) {
  const set = { tags: tags.map(([key, value]) => ({ key, value })) };
  return {
    principal: ALICE,
    action: `eci:${action}`,
    resources: [{ arn: GROUPS + group }],
    understands_obligations: true,
    ...(tags.length > 0 && { tag_write: { set } }),
    ...others,
  };
}

/** What an answer says, in words. */
function decision(answer) {
  if (answer.effect === "EFFECT_ALLOW") {
    const filters = answer.obligations.map(({ must_filter_tags: { tags } }) =>
      `, filtered by ${tags.map(({ key, value }) => `${key}=${value}`).join(",")}`);
    return `ALLOW${filters.join("")}`;
  }
  const reason = answer.reason.replace("REASON_", "");
  const shown = answer.on_deny === "ON_DENY_EMPTY_RESULT" ? "an empty result" : "an error";
  return `DENY ${reason}, shown as ${shown}`;
}

/** Prints what came of a question. */
async function tell(what, ask) {
  try {
    console.log(`${what}: ${await ask()}`);
  } catch (refused) {
    if (!(refused instanceof NotDecided)) throw refused;
    console.log(`${what}: ${refused}`);
  }
}

async function authorize(client) {
  const cases = [
    ["delete eci-test", question("DeleteContainerGroup", "eci-test")],
    ["delete eci-prod", question("DeleteContainerGroup", "eci-prod")],
    ["list all", question("DescribeContainerGroups", "*")],
    ["list env=test", question("DescribeContainerGroups", "*", [["env", "test"]])],
  ];
  for (const [what, request] of cases) {
    await tell(`authorize ${what}`, async () => decision(await asked(client, "Authorize", request)));
  }
}

async function validate(client) {
  for (const value of ["Shanghai", "shanghai"]) {
    const request = {
      resource: { arn: `${GROUPS}*` },
      operation: "TAGGING_OPERATION_CREATE",
      tag_write: { set: { tags: [{ key: "CostCenter", value }] } },
    };
    const ask = async () => verdict(await asked(client, "ValidateTagging", request));
    await tell(`validate CostCenter=${value}`, ask);
  }
}

/** What a verdict on tags says, in words. */
function verdict({ verdict: found }) {
  if (found.compliant) return "complies";
  const [wrong] = found.violations;
  const shown = found.intercepted ? "intercepted" : "reported";
  return `${shown}, ${wrong.expected_key} should be ${wrong.nearest_value}`;
}

/** Answers come in the order of the questions; one that is refused does not end the stream. */
async function stream(client) {
  const answers = client.AuthorizeStream({ deadline: Date.now() + DEADLINE });
  for (const group of ["eci-test", "*", "eci-prod"]) {
    answers.write({ request: question("DeleteContainerGroup", group) });
  }
  answers.end();
  let number = 0;
  for await (const { result } of answers) {
    number += 1;
    const said = result.result === "response" ? decision(result.response) : new NotDecided(result.error);
    console.log(`stream ${number}: ${said}`);
  }
}

async function refusals(client) {
  const group = "DeleteContainerGroup";
  const twice = [["env", "test"], ["env", "prod"]];
  const cases = [
    ["tag twice", question("CreateContainerGroup", "*", twice)],
    ["unknown group", question(group, "eci-new")],
    ["session", question(group, "eci-test", [], { session: { policy_document: "{}" } })],
    ["broken account", question(group, "eci-test", [], { principal: ALICE.replace("123456789012", "999999999999") })],
  ];
  for (const [what, request] of cases) {
    await tell(`refused ${what}`, async () => decision(await asked(client, "Authorize", request)));
  }
  const { revision: { source, number } } = await asked(client, "Authorize", question(group, "eci-test"));
  const later = { min_revision: { source, number: String(BigInt(number) + 1n) } };
  const request = question(group, "eci-test", [], later);
  await tell("refused later revision", async () => decision(await asked(client, "Authorize", request, PATIENT)));
}

const plain = grpc.credentials.createInsecure();
const authorization = new AuthorizationService(address, plain);
const tagging = new TaggingService(address, plain);
const nobody = new AuthorizationService("127.0.0.1:1", plain);
await authorize(authorization);
await validate(tagging);
await stream(authorization);
await refusals(authorization);
await tell("nobody there", async () =>
  decision(await asked(nobody, "Authorize", question("DeleteContainerGroup", "eci-test"))));
for (const client of [authorization, tagging, nobody]) client.close();
