import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { AuditEntry } from '../../domain/token.ts'
import { addRoute, describeOperation } from '../operation.ts'

const MAX_ENTRIES = 1_000

const ENTRY = Type.Object(
  {
    at: Type.String({ description: 'When, RFC 3339.' }),
    actor: Type.String({ description: 'A token by its id, or a user of the machine where it was done.' }),
    action: Type.String({ description: 'token.create, token.revoke, token.rotate or target.remove.' }),
    subject: Type.String({ description: 'What it was done to.' }),
  },
  { title: 'AuditEntry' },
)

const AUDIT = describeOperation({
  method: 'GET',
  path: '/api/v1/audit',
  id: 'listAudit',
  tag: 'service',
  right: 'admin',
  ofAll: true,
  summary: 'Who made and revoked tokens and removed targets, the newest first',
  query: Type.Object({
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_ENTRIES, default: 100, description: 'No more than so many.' }),
    ),
  }),
  answer: {
    status: 200,
    description: 'The newest entries.',
    content: { 'application/json': Type.Object({ items: Type.Array(ENTRY, { description: 'The newest first.' }) }) },
  },
  faults: ['store_unreadable'],
})

export interface Needs {
  readonly auditLog: (limit: number) => Promise<readonly AuditEntry[]>
}

/** `GET /api/v1/audit`. */
export function addAudit(server: FastifyInstance, { auditLog }: Needs): void {
  addRoute(server, AUDIT, async ({ query: { limit = 100 } }) => {
    const items: Static<typeof ENTRY>[] = (await auditLog(limit)).map(({ at, ...entry }) => ({
      at: new Date(at).toISOString(),
      ...entry,
    }))
    return { items }
  })
}
