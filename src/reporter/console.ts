/** Where a command writes. Data for programs and for people's eyes goes to `out`, messages about the run to `err`. */
export interface Console {
  out(line: string): void
  err(line: string): void
}
