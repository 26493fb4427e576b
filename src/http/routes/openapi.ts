import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { openApi } from '../openapi.ts'
import { addRoute, describeOfService, type Operation } from '../operation.ts'

const OPENAPI = describeOfService({
  path: '/openapi.json',
  id: 'getOpenApi',
  right: 'open',
  summary: 'This document',
  answer: {
    status: 200,
    description: 'OpenAPI 3.1.',
    content: {
      'application/json': Type.Object(
        { openapi: Type.String({ description: 'The version of OpenAPI.' }) },
        { additionalProperties: true },
      ),
    },
  },
})

export interface Needs {
  /** Of every route, also of those that are added after this one. */
  readonly operations: readonly Operation[]
  readonly version: string
}

/** `GET /openapi.json`. */
export function addOpenApi(server: FastifyInstance, { operations, version }: Needs): void {
  let document: string | undefined // when the first one asks, all routes are there

  addRoute(server, OPENAPI, async ({ reply }) => {
    document ??= JSON.stringify(openApi(operations, version))
    return reply.type('application/json; charset=utf-8').send(document)
  })
}
