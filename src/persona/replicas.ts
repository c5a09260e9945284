/**
 * The replicas that front one subject, each watched by itself from when there is a second one: one bad instance of many
 * is found by them. How many there are is bounded, and those that are gone give way, so names that change at every
 * deployment do not use up the room. What a replica that gave way had gathered is dropped, which only loses evidence.
 */
import { firstWithReplicas, otherReplicas, replicaGone } from "./settings.ts";
import { createReplicaPart, markAt, type PersonaState, type ReplicaPart } from "./state.ts";

/** The place in the list that a new replica takes: a new one, that of one that is gone, or null where there is none. */
const freePlace = ({ replicas, settings, judged }: PersonaState): number | null => {
  const own = replicas.filter(({ name }) => name !== otherReplicas);
  if (own.length < settings.replicas.most) return replicas.length;
  const gone = replicas.findIndex(({ name, seenAt }) => name !== otherReplicas && judged.n - seenAt >= replicaGone);
  return gone < 0 ? null : gone;
};

const admitted = (state: PersonaState, replica: string): ReplicaPart => {
  const place = freePlace(state);
  const name = place === null ? otherReplicas : replica;
  const known = state.replicas.find((part) => part.name === name);
  if (known !== undefined) return known;
  const part = createReplicaPart(name, markAt(state, state.position), state.judged.n);
  state.replicas.splice(place ?? state.replicas.length, 1, part);
  return part;
};

/** Where the data of this replica are counted; null while it is the only one, or where replicas are not told apart. */
export const replicaOf = (state: PersonaState, replica: string | undefined): ReplicaPart | null => {
  const { method, settings, replicas } = state;
  if (replica === undefined || method < firstWithReplicas || settings.replicas.most === 0) return null;
  state.firstReplica ??= replica;
  if (replicas.length === 0 && replica === state.firstReplica) return null;
  const part = replicas.find(({ name }) => name === replica) ?? admitted(state, replica);
  part.seenAt = state.judged.n;
  return part;
};
