import type { ReportBody } from '../contract/report.ts'
import type { Change } from '../domain/recorded.ts'

/** Called after the commit, with what changed, in the order in which it was recorded. Must not wait for anything. */
export type Follower = (changes: readonly Change<ReportBody>[]) => void

export interface Feed {
  follow(name: string, follower: Follower): void
  publish(changes: readonly Change<ReportBody>[]): void
}

/** Passes on what was recorded. A follower that fails is a bug of its own and keeps nothing from the others. */
export function createFeed(onFailure: (follower: string, error: unknown) => void): Feed {
  const followers = new Map<string, Follower>()

  return {
    follow(name, follower) {
      followers.set(name, follower)
    },
    publish(changes) {
      if (changes.length === 0) return
      for (const [name, follower] of followers) {
        try {
          follower(changes)
        } catch (error) {
          onFailure(name, error)
        }
      }
    },
  }
}
