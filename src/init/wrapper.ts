import { readFileSync } from 'node:fs'

// The text of update-gitops-status.sh. Set by scripts/build.ts in the one-file program only.
declare const EMBEDDED_WRAPPER: string | undefined

/** The update-gitops-status.sh that belongs to this version: every repository has the same one. */
export function wrapperText(): string {
  return typeof EMBEDDED_WRAPPER === 'undefined'
    ? readFileSync(new URL('../../update-gitops-status.sh', import.meta.url), 'utf8')
    : EMBEDDED_WRAPPER
}
