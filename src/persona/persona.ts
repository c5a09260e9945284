/** The persona layer as others see it: data in, verdict out. No I/O, no clock, no chance. */
export { assess } from "./assess.ts";
export { type FleetStanding, fleetStandings } from "./fleet.ts";
export { step } from "./fold.ts";
export { probeMix, probePace, probesTeach } from "./probe-mix.ts";
export { defaultSettings, method } from "./settings.ts";
export { createState, type PersonaState } from "./state.ts";
