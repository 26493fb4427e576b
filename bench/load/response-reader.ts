/**
 * Reads HTTP/1.1 answers just far enough to know their status and where each one ends. A whole parser would cost more
 * than some of the servers that are measured with it.
 *
 * In the head until its blank line; then in the body while a length is outstanding, or in turns in a chunk's size and
 * its data; back in the head when the answer is complete.
 */
export function createResponseReader(onAnswer: (status: number) => void): (chunk: Buffer, length: number) => void {
  let state: 'head' | 'body' | 'chunk-size' | 'chunk' | 'end' = 'head'
  let head = ''
  let missing = 0
  let size = ''
  let status = 0

  function answered() {
    state = 'head'
    onAnswer(status)
  }

  function headRead() {
    status = Number(head.slice(9, 12))
    const lower = head.toLowerCase()
    const at = lower.indexOf('\r\ncontent-length:')
    head = ''
    if (at !== -1) {
      missing = Number.parseInt(lower.slice(at + 17), 10)
      state = 'body'
      if (missing === 0) answered()
    } else if (lower.includes('\r\ntransfer-encoding: chunked')) {
      state = 'chunk-size'
    } else throw new Error(`An answer without a length: ${lower.slice(0, 200)}`)
  }

  function sizeRead() {
    missing = Number.parseInt(size, 16) + 2 // the line break after the data
    size = ''
    state = missing === 2 ? 'end' : 'chunk'
  }

  return (chunk, length) => {
    let at = 0
    while (at < length) {
      if (state === 'head') {
        const before = head.length
        head += chunk.toString('latin1', at, Math.min(length, at + 2_048))
        const end = head.indexOf('\r\n\r\n', Math.max(0, before - 3))
        if (end === -1) at = Math.min(length, at + 2_048)
        else {
          at += end + 4 - before
          head = head.slice(0, end + 2)
          headRead()
        }
      } else if (state === 'chunk-size') {
        const end = chunk.indexOf(10, at)
        const isWhole = end !== -1 && end < length
        size += chunk.toString('latin1', at, isWhole ? end : length)
        at = isWhole ? end + 1 : length
        if (isWhole) sizeRead()
      } else {
        const taken = Math.min(missing, length - at)
        at += taken
        missing -= taken
        if (missing > 0) continue
        if (state === 'chunk') state = 'chunk-size'
        else answered()
      }
    }
  }
}
