import type { FileRow } from './row-lists.ts'

/** What is asked of files: that one of these was the cause, that this person changed them. Null: all. */
export interface WantedFiles {
  readonly cause: ReadonlySet<string> | null
  readonly modifiedBy: string | null
}

export function isWantedFile({ cause, modified_by }: FileRow, wanted: WantedFiles): boolean {
  return (wanted.cause?.has(cause ?? '') ?? true) && (wanted.modifiedBy === null || wanted.modifiedBy === modified_by)
}

/** Whether this person changed one of them; of nobody in particular it is true of all, and of none. */
export function isChangedBy(
  person: string | null,
  files: readonly { readonly modified_by?: string }[] | undefined,
): boolean {
  return person === null || (files?.some(({ modified_by }) => modified_by === person) ?? false)
}
