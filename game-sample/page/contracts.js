export const contracts = {};
export const Pilot = { name: "Pilot" };
export const Sector = { name: "Sector", said: { name: "said" }, welcome: { name: "welcome" } };
export const Pose = { name: "Pose" };
export const Label = { name: "Label" };
