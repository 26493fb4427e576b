import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { Fault } from '../domain/fault.ts'
import type { Meter } from './meter.ts'
import { PROBLEM_TYPE, type Problem, problemFor } from './problem.ts'

/** Answers what is not HTTP, or not in time, on the bare socket: it never becomes a request. */
export function createRefuseUnreadable({ countRefusal }: Pick<Meter, 'countRefusal'>) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const fault = faultFor(error.code)
    const problem = problemFor(fault, randomUUID())
    countRefusal(fault.code, problem.status)
    answer(socket, problem)
  }
}

function answer(socket: Socket, problem: Problem): void {
  const body = JSON.stringify(problem)
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      `Content-Type: ${PROBLEM_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
    // Who keeps its side open would otherwise hold a place for as long as it likes.
    () => socket.destroy(),
  )
}

function faultFor(code: string | undefined): Fault {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Fault('request_timeout', 'The request was not complete in time')
    case 'HPE_HEADER_OVERFLOW':
      return new Fault('headers_too_large', 'The headers are larger than this server takes')
    default:
      return new Fault('bad_request', 'The request is not HTTP')
  }
}
