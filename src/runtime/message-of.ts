/** What anything that was thrown says: an error's message, or the thing as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
