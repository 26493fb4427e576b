/** Does something again and again; what it returns ends that. */
export type Every = (ms: number, task: () => void) => () => void

export function every(ms: number, task: () => void): () => void {
  const timer = setInterval(task, ms)
  return () => clearInterval(timer)
}
