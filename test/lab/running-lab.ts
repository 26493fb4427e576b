import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOwnPrivateDirectory } from './private-directory.ts'

/** What `npm run lab` tells `npm run lab:ssh`. */
export interface RunningLab {
  readonly pid: number
  readonly server: string
  readonly sshConfig: string
}

/** The same for every checkout, so one user runs one lab at a time. */
export function labDirectory(): string {
  return join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), `gitops-status-lab-${process.getuid?.()}`)
}

/** Called once the lab's directory exists; what is written there goes when the directory goes. */
export function announceLab(lab: RunningLab): void {
  writeFileSync(stateFile(), JSON.stringify(lab))
}

export function findRunningLab(): RunningLab | undefined {
  const directory = labDirectory()
  const text = readStateFile()
  if (text === undefined) return undefined
  // A file that others could have put here could send us to a server of theirs.
  if (!isOwnPrivateDirectory(directory)) throw new Error(`${directory} does not belong to you alone: remove it`)
  const lab: Partial<RunningLab> = JSON.parse(text)
  const { pid, server, sshConfig } = lab
  if (!pid || !server || !sshConfig || !isRunning(pid)) return undefined
  return { pid, server, sshConfig }
}

/** A machine that lost power may keep the directory of a lab that no longer runs. */
export function removeStaleLab(): void {
  if (isOwnPrivateDirectory(labDirectory())) rmSync(labDirectory(), { recursive: true })
}

function stateFile() {
  return join(labDirectory(), 'lab.json')
}

function readStateFile() {
  try {
    return readFileSync(stateFile(), 'utf8')
  } catch {
    return undefined
  }
}

function isRunning(pid: number) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
