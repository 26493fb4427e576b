import { fileURLToPath } from 'node:url'
import type { AnsibleParts } from './ansible-environment.ts'

/**
 * Where the callback plugin is, with the sentinel play and the inspection module that it finds from there. In this
 * repository they lie ready. The one-file program replaces this module by one that unpacks them (scripts/build.ts).
 */
export function ansibleParts(_directory: string): AnsibleParts {
  return { callbackDirectory: fileURLToPath(new URL('../../ansible/callback_plugins', import.meta.url)) }
}
