import { durationWords } from '../parts/time-words.ts'
import type { Episode } from './episodes-then.ts'
import { OnsetWindow } from './onset-window.tsx'

/** When it drifted. Nobody saw the moment, so each end is told as the two checks between which it lies. */
export function EpisodeTable({ episodes }: { readonly episodes: readonly Episode[] }) {
  if (episodes.length === 0) return <p className="dim">No episode is known.</p>
  return (
    <div className="wide">
      <table className="episodes">
        <thead>
          <tr>
            <th scope="col">Began</th>
            <th scope="col">Repaired</th>
            <th scope="col">Time to repair</th>
            <th scope="col">Files</th>
            <th scope="col">Checks</th>
          </tr>
        </thead>
        <tbody>
          {episodes.map((episode) => (
            <tr key={episode.onset_before}>
              <td data-label="Began">
                <OnsetWindow after={episode.onset_after} before={episode.onset_before} />
              </td>
              <td data-label="Repaired">
                {episode.is_open === 1 ? (
                  <b>not yet</b>
                ) : (
                  <OnsetWindow after={episode.repair_after} before={episode.repair_before} />
                )}
              </td>
              <td data-label="Time to repair">
                {episode.time_to_repair_seconds === null ? '–' : durationWords(1_000 * episode.time_to_repair_seconds)}
              </td>
              <td data-label="Files">{episode.max_drift_count ?? '–'}</td>
              <td data-label="Checks">{episode.checks ?? '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
