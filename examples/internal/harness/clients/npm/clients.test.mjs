// Creates, lists, renames and removes devices, and is refused, with JSON:API clients
// that were not written here. BASE is the address of a running example server with accounts.json.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test from 'node:test'

import Devour from 'devour-client'
import validators from 'jsonapi-validator'
import Kitsu from 'kitsu'
import spraypaint from 'spraypaint'

const base = `${process.env.BASE}/user/2025-1`
const pin = '8299'
const bearer = { Authorization: 'Bearer good' }

function isDevice (device, id) {
  if (id !== undefined) assert.equal(device.id, id)
  assert.match(device.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  assert.match(device.secret, /^[A-Z2-7]{32}$/)
  assert.equal(device.period, 30)
  assert.equal(device.digits, 6)
  assert.equal(device.algorithm, 'SHA1')
}

// isListed checks a device as the server shows it: without its secret.
function isListed (device, id, name) {
  assert.equal(device.id, id)
  assert.equal(device.name, name)
  assert.equal(device.digits, 6)
  assert.equal(device.period, 30)
  assert.equal(device.algorithm, 'SHA1')
  assert.equal(device.lastUsedAt, null)
  assert.equal(device.blockedUntil, null)
  assert.match(device.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.equal(device.secret, undefined)
}

const byID = (devices, id) => devices.find(device => device.id === id)

test('kitsu', async () => {
  const api = new Kitsu({ baseURL: base, headers: bearer, pluralize: false, camelCaseTypes: false, resourceCase: 'none' })
  const create = body => api.request({ method: 'POST', url: 'user/devices/totp', type: 'deviceTOTP', body })

  const id = randomUUID()
  const named = await create({ id, pin, password: null, otp: null })
  assert.equal(named.status, 201)
  isDevice(named.data, id)
  isDevice((await create({ pin })).data)
  await assert.rejects(create({ pin: '0000' }), error => {
    assert.equal(error.response.status, 403)
    assert.equal(error.errors[0].code, 'invalid-credentials')
    return true
  })

  isListed(byID((await api.get('user/devices/totp')).data, id), id, '')
  const change = { method: 'PATCH', url: `user/devices/totp/${id}`, type: 'deviceTOTP', body: { id, name: 'phone' } }
  isListed((await api.request(change)).data, id, 'phone')
  isListed((await api.get(`user/devices/totp/${id}`)).data, id, 'phone')
  await api.request({ method: 'DELETE', url: `user/devices/totp/${id}`, type: 'deviceTOTP' })
  await assert.rejects(api.get(`user/devices/totp/${id}`), error => {
    assert.equal(error.response.status, 404)
    assert.equal(error.errors[0].code, 'not-found')
    return true
  })
})

test('devour-client', async () => {
  const api = new Devour({ apiUrl: base, bearer: 'good', logger: false, pluralize: false })
  const attributes = {
    pin: '', password: '', otp: '', secret: '', period: '', digits: '', algorithm: '', name: '', createdAt: '', lastUsedAt: '', blockedUntil: ''
  }
  api.define('deviceTOTP', attributes, { collectionPath: 'user/devices/totp' })

  const id = randomUUID()
  isDevice((await api.create('deviceTOTP', { id, pin, password: null, otp: null })).data, id)
  isDevice((await api.create('deviceTOTP', { pin })).data)
  // It names each error after the last part of its pointer.
  await assert.rejects(api.create('deviceTOTP', { pin: '0000' }), error => {
    assert.equal(error.pin.title, 'Invalid credentials')
    return true
  })

  isListed(byID((await api.findAll('deviceTOTP')).data, id), id, '')
  isListed((await api.update('deviceTOTP', { id, name: 'phone' })).data, id, 'phone')
  isListed((await api.find('deviceTOTP', id)).data, id, 'phone')
  await api.destroy('deviceTOTP', id)
  assert.equal(byID((await api.findAll('deviceTOTP')).data, id), undefined)
})

test('spraypaint', async () => {
  const { SpraypaintBase, attr } = spraypaint
  const Base = SpraypaintBase.extend({ static: { baseUrl: base, apiNamespace: '', jwt: 'good', generateAuthHeader: jwt => `Bearer ${jwt}` } })
  const DeviceTOTP = Base.extend({
    static: { jsonapiType: 'deviceTOTP', endpoint: '/user/devices/totp' },
    attrs: Object.fromEntries(['pin', 'password', 'otp', 'secret', 'period', 'digits', 'algorithm', 'name', 'createdAt', 'lastUsedAt', 'blockedUntil']
      .map(name => [name, attr()]))
  })

  const device = new DeviceTOTP({ pin, password: null, otp: null })
  assert.equal(await device.save(), true)
  isDevice(device)

  // It has words of its own for a 422, so only the status counts here.
  for (const [wrong, status] of [['0000', 403], [8299, 422]]) {
    await assert.rejects(new DeviceTOTP({ pin: wrong }).save(), error => {
      assert.equal(error.response.status, status)
      return true
    })
  }

  device.name = 'phone'
  assert.equal(await device.save(), true)
  const all = (await DeviceTOTP.all()).data
  isListed(byID(all, device.id), device.id, 'phone')
  isListed((await DeviceTOTP.find(device.id)).data, device.id, 'phone')
  assert.equal(await device.destroy(), true)
  assert.equal(byID((await DeviceTOTP.all()).data, device.id), undefined)
})

test('every answer of the other operations is a JSON:API document to jsonapi-validator', async t => {
  const validator = new validators.Validator()
  const id = randomUUID()
  const document = JSON.stringify({ data: { type: 'deviceTOTP', id, attributes: { pin } } })
  const headers = { 'Content-Type': 'application/vnd.api+json', ...bearer }
  assert.equal((await fetch(`${base}/user/devices/totp`, { method: 'POST', body: document, headers })).status, 201)
  const renaming = (id, name) => JSON.stringify({ data: { type: 'deviceTOTP', id, attributes: { name } } })
  for (const [method, path, body, status] of [
    ['GET', '', undefined, 200],
    ['GET', `/${id}`, undefined, 200],
    ['GET', '/unknown', undefined, 404],
    ['PATCH', `/${id}`, renaming(id, 'phone'), 200],
    ['PATCH', `/${id}`, renaming(randomUUID(), 'phone'), 409],
    ['PATCH', `/${id}`, renaming(id, 'a\nb'), 422],
    ['PUT', `/${id}`, '{}', 405]
  ]) {
    await t.test(`${method} ${path} ${status}`, async () => {
      const answer = await fetch(`${base}/user/devices/totp${path}`, { method, body, headers })
      assert.equal(answer.status, status)
      assert.equal(answer.headers.get('Content-Type'), 'application/vnd.api+json')
      validator.validate(await answer.json())
    })
  }
  const gone = await fetch(`${base}/user/devices/totp/${id}`, { method: 'DELETE', headers: bearer })
  assert.equal(gone.status, 204)
  assert.equal(await gone.text(), '')
})

test('every answer is a JSON:API document to jsonapi-validator', async t => {
  const validator = new validators.Validator()
  const type = 'application/vnd.api+json'
  const document = attributes => JSON.stringify({ data: { type: 'deviceTOTP', attributes } })
  const cases = [
    [201, document({ pin }), {}],
    [401, document({ pin }), { Authorization: 'Bearer bad' }],
    [403, document({}), {}],
    [403, document({ otp: '000000' }), {}],
    [406, document({ pin }), { Accept: 'text/html' }],
    [415, document({ pin }), { 'Content-Type': 'application/json' }],
    [422, '{}', {}],
    [422, JSON.stringify({ data: { type: 'device', id: 7, attributes: [] } }), {}]
  ]
  for (const [status, body, headers] of cases) {
    await t.test(`${status} ${body}`, async () => {
      const answer = await fetch(`${base}/user/devices/totp`, {
        method: 'POST', body, headers: { 'Content-Type': type, ...bearer, ...headers }
      })
      assert.equal(answer.status, status)
      assert.equal(answer.headers.get('Content-Type'), type)
      validator.validate(await answer.json())
    })
  }
})
