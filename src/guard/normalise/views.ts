export interface View {
  kind: "plain" | "folded" | "rot13";
  text: string;
  origin(start: number, end: number): { start: number; end: number };
}
export const viewsOf = (text: string): { views: View[]; capped: boolean } => ({
  views: [{ kind: "plain", text, origin: (start, end) => ({ start, end }) }],
  capped: false,
});
