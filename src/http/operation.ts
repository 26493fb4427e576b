import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static, type TObject, type TSchema } from 'typebox'
import type { FaultCode } from '../domain/fault.ts'
import { createQueryReader, type Query } from './query.ts'

/** One route as `/openapi.json` tells of it. The same schemas read what is asked and give the handler its types. */
export interface Operation<Params extends TObject = TObject, Asked extends TObject = TObject> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With its parameters in braces: `/api/v1/targets/{repo}/{server}`. */
  readonly path: string
  readonly id: string
  readonly tag: 'reports' | 'rows' | 'badges' | 'events' | 'targets' | 'history' | 'service'
  readonly summary: string
  readonly description?: string
  readonly params?: Params
  readonly query?: Asked
  /** Of `application/json`. What reads it stands in `contract/`. */
  readonly body?: TSchema
  /** When all went well. */
  readonly answer: Answer
  /** What can go wrong with it in particular. */
  readonly faults?: readonly FaultCode[]
}

export interface Answer {
  readonly status: number
  readonly description: string
  /** By content type; none when there is no body. */
  readonly content: Readonly<Record<string, TSchema>>
}

export interface Asked<Params extends TObject, Query extends TObject> {
  readonly params: Static<Params>
  readonly query: Static<Query>
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
  }
}

/** For `operation: Operation`, with the types of its parameters kept. */
export function describeOperation<Params extends TObject, Query extends TObject>(
  operation: Operation<Params, Query>,
): Operation<Params, Query> {
  return operation
}

type OfService<Params extends TObject> = Pick<
  Operation<Params>,
  'path' | 'id' | 'summary' | 'description' | 'params' | 'answer' | 'faults'
>

/** What belongs to the server itself: fetched, with no parameters but those of its path. */
export function describeOfService<Params extends TObject>(operation: OfService<Params>): Operation<Params, TObject> {
  return { ...operation, method: 'GET', tag: 'service', query: Type.Object({}) }
}

/** Adds a route together with its description. There is no other way to add one. */
export function addRoute<Params extends TObject, Asking extends TObject>(
  server: FastifyInstance,
  operation: Operation<Params, Asking>,
  handler: (asked: Asked<Params, Asking>) => Promise<unknown>,
): void {
  const readQuery = createQueryReader(operation.query)
  server.route<{ Params: Static<Params>; Querystring: Query }>({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    config: { operation },
    handler: (request, reply) =>
      handler({ params: request.params, query: readQuery(request.query), request, reply } as Asked<Params, Asking>),
  })
}

/** The description of every route, in the order in which they are added. A route without one stops the start. */
export function collectOperations(server: FastifyInstance): readonly Operation[] {
  const operations: Operation[] = []
  server.addHook('onRoute', ({ method, url, config }) => {
    const operation = config?.operation
    if (operation === undefined) throw new Error(`${method} ${url} has no description: add it with addRoute`)
    if (!operations.includes(operation)) operations.push(operation) // Fastify adds a HEAD to each GET
  })
  return operations
}

/** The methods that a path takes, for `Allow`. */
export function methodsAt(operations: readonly Operation[], path: string): string[] {
  return operations
    .filter((operation) => patternOf(operation.path).test(path))
    .flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '[.]').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}
