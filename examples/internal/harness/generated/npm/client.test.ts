// The client in ./client is generated: see ../run. What is compared here with the
// wrong type does not compile.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test from 'node:test'

import { createClient, createConfig } from './client/client'
import { createDeviceTotp, getDeviceTotp, listDeviceTotps, renameDeviceTotp, revokeDeviceTotp } from './client/sdk.gen'
import type { ErrorCode, Errors, ListedDeviceTotp } from './client/types.gen'

const clientOf = (token: string) => createClient(createConfig({ baseUrl: `${process.env['BASE']}/user/2024-2`, auth: token }))
const client = clientOf('other')
const request = (id: string, pin: string) => ({ data: { type: 'deviceTOTP' as const, id, attributes: { pin } } })

function only (errors: Errors | undefined): ErrorCode {
  assert.equal(errors?.errors.length, 1)
  return errors.errors[0]!.code
}

test('a device from its birth to its end', async () => {
  const id = randomUUID()
  const created = await createDeviceTotp({ client, body: request(id, '8299') })
  assert.equal(created.response?.status, 201)
  assert.equal(created.data?.data.id, id)
  assert.match(created.data.data.attributes.secret, /^[A-Z2-7]{32}$/)

  const body = { data: { type: 'deviceTOTP' as const, id, attributes: { name: 'phone' } } }
  const renamed = await renameDeviceTotp({ client, path: { id }, body })
  assert.equal(renamed.data?.data.attributes.name, 'phone')
  const conflict = await renameDeviceTotp({ client, path: { id: randomUUID() }, body })
  assert.equal(conflict.response?.status, 409)
  assert.equal(only(conflict.error), 'invalid-id')

  const list = await listDeviceTotps({ client })
  const listed: ListedDeviceTotp[] | undefined = list.data?.data
  assert.equal(listed?.length, 1)
  const last: string | null = listed[0]!.attributes.lastUsedAt
  assert.equal(last, null)
  assert.equal(listed[0]!.attributes.name, 'phone')

  for (let i = 0; i < 2; i++) {
    const revoked = await revokeDeviceTotp({ client, path: { id } })
    assert.equal(revoked.response?.status, 204)
  }
  const gone = await getDeviceTotp({ client, path: { id } })
  assert.equal(gone.response?.status, 404)
  assert.equal(only(gone.error), 'not-found')
})

test('refusals have types', async () => {
  const denied = await createDeviceTotp({ client, body: request(randomUUID(), '0000') })
  assert.equal(denied.response?.status, 403)
  assert.equal(only(denied.error), 'invalid-credentials')
  assert.equal(denied.error?.errors[0]?.source?.pointer, '/data/attributes/pin')
  const invalid = await createDeviceTotp({ client, body: request('7', '8299') })
  assert.equal(invalid.response?.status, 422)
  assert.equal(only(invalid.error), 'invalid-id')
  const narrow = await listDeviceTotps({ client: clientOf('narrow') })
  assert.equal(narrow.response?.status, 403)
  assert.equal(only(narrow.error), 'insufficient-scope')
})
