// A peer on js-libp2p, driven by a test: one JSON object per line in, one per line out.
//
// It knows no Goop² protocol. It carries bytes, so that what is right is written once, in the fixtures
// and the test, and what is tried here is libp2p itself: handshake, negotiation, streams and their ends.
//
// The first line starts it: {"key": HEX or null, "listen": [MULTIADDR], "gossip": BOOL, "relay": BOOL,
// "circuit": BOOL, "pingEvery": MS}.
// Then each line {"id": N, "do": NAME, …} is answered with {"id": N, "ok": …} or {"id": N, "error": TEXT};
// what others do is told by lines with "event". It ends with its input.
// Bytes are strings with one character per byte.

import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { identify } from '@libp2p/identify'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPair, privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { tcp } from '@libp2p/tcp'

// Node 22 has it; libp2p's dialing needs it.
Promise.withResolvers ??= () => {
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return parts
}
const { createLibp2p } = await import('libp2p')

const tell = (object) => process.stdout.write(JSON.stringify(object) + '\n')
const toText = (chunk) => Buffer.from(chunk.subarray()).toString('latin1')
const toBytes = (text) => Uint8Array.from(Buffer.from(text, 'latin1'))

async function start ({ key, listen, gossip, relay, circuit, pingEvery }) {
  const services = { identify: identify() }
  const transports = [tcp()]
  if (gossip) {
    const { gossipsub } = await import('@chainsafe/libp2p-gossipsub')
    services.pubsub = gossipsub({ allowPublishToZeroTopicPeers: true })
  }
  if (relay) {
    const { circuitRelayServer } = await import('@libp2p/circuit-relay-v2')
    services.relay = circuitRelayServer()
  }
  if (circuit) {
    const { circuitRelayTransport } = await import('@libp2p/circuit-relay-v2')
    transports.push(circuitRelayTransport())
  }
  return await createLibp2p({
    privateKey: key == null ? await generateKeyPair('Ed25519') : privateKeyFromProtobuf(Buffer.from(key, 'hex')),
    addresses: { listen },
    transports,
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // A test comes back more often than a person does: the default is five in a second.
    connectionManager: { inboundConnectionThreshold: Infinity },
    // It gives up a connection when a ping is not answered.
    ...(pingEvery != null && { connectionMonitor: { pingInterval: pingEvery } }),
    services
  })
}

// Writes `text` and ends this direction, or, with `halfClose` false, keeps it open for as long as
// `until` is pending.
async function write (stream, text, halfClose, until) {
  await stream.sink((async function * () {
    if (text !== '') yield toBytes(text)
    if (!halfClose) await until
  })())
}

// Reads to the end of the stream, or until `enough` says of what has come that it is.
async function read (stream, enough = () => false) {
  let text = ''
  for await (const chunk of stream.source) {
    text += toText(chunk)
    if (enough(text)) break
  }
  return text
}

const enough = {
  eof: () => false,
  line: (text) => text.includes('\n')
}

const commands = {
  // Connects to the peer at `address`.
  async dial (node, { address }) {
    const connection = await node.dial(multiaddr(address))
    return connection.remotePeer.toString()
  },

  // Opens a stream to a connected peer, sends `bytes`, and gives what comes back until the peer ends it.
  // With `halfClose` false, this side stays open until then.
  async exchange (node, { peer, protocol, bytes, halfClose }) {
    const connection = node.getConnections().find((open) => open.remotePeer.toString() === peer)
    const stream = await connection.newStream(protocol, { runOnLimitedConnection: true })
    const answered = Promise.withResolvers()
    const written = write(stream, bytes, halfClose, answered.promise)
    // A peer may answer and end before it has read all.
    written.catch(() => {})
    try {
      return await read(stream)
    } finally {
      answered.resolve()
      await stream.close().catch((error) => stream.abort(error))
    }
  },

  // Pings a connected peer so many times, each on a stream of its own.
  async ping (node, { peer, times }) {
    const connection = node.getConnections().find((open) => open.remotePeer.toString() === peer)
    for (let turn = 0; turn < times; turn++) {
      const stream = await connection.newStream('/ipfs/ping/1.0.0')
      const sent = randomBytes(32).toString('latin1')
      const answered = Promise.withResolvers()
      write(stream, sent, false, answered.promise).catch(() => {})
      const came = await read(stream, (text) => text.length >= sent.length)
      answered.resolve()
      await stream.close()
      if (came !== sent) throw new Error(`ping ${turn} was answered with ${came.length} bytes`)
    }
  },

  // Takes the streams of `protocol` from now on: reads `until` ('eof', 'line', 'nothing'), tells what came,
  // answers with what `answers` has for it ('*' for anything else), and ends the stream, or, with `halfClose`
  // false, leaves its direction open.
  async handle (node, { protocol, until, answers, halfClose }) {
    await node.handle(protocol, async ({ stream, connection }) => {
      try {
        const bytes = until === 'nothing' ? '' : await read(stream, enough[until])
        tell({ event: 'request', protocol, from: connection.remotePeer.toString(), bytes })
        const answer = answers[bytes] ?? answers['*']
        if (answer == null) return await stream.close()
        await write(stream, answer, halfClose, new Promise(() => {}))
      } catch (error) {
        tell({ event: 'failed', protocol, reason: String(error) })
        stream.abort(error)
      }
    })
  },

  // Takes the streams of `protocol` no longer.
  async unhandle (node, { protocol }) {
    await node.unhandle(protocol)
  },

  // The protocols that a connected peer says it has.
  async protocols (node, { peer }) {
    const known = (await node.peerStore.all()).find((entry) => entry.id.toString() === peer)
    return known?.protocols ?? []
  },

  // Tells the messages of a topic from now on, and who follows it.
  async subscribe (node, { topic }) {
    node.services.pubsub.addEventListener('message', ({ detail }) => {
      if (detail.topic !== topic) return
      tell({ event: 'gossip', from: detail.from?.toString() ?? null, signed: detail.type === 'signed', bytes: toText(detail.data) })
    })
    node.services.pubsub.addEventListener('subscription-change', ({ detail }) => {
      for (const change of detail.subscriptions) {
        if (change.topic === topic && change.subscribe) tell({ event: 'follower', peer: detail.peerId.toString() })
      }
    })
    node.services.pubsub.subscribe(topic)
  },

  // Publishes to a topic; gives how many peers it was sent to.
  async publish (node, { topic, bytes }) {
    const { recipients } = await node.services.pubsub.publish(topic, toBytes(bytes))
    return recipients.length
  }
}

let node
const input = createInterface({ input: process.stdin })
input.on('close', () => process.exit(0))
for await (const line of input) {
  const request = JSON.parse(line)
  if (node == null) {
    node = await start(request)
    tell({ event: 'ready', peer_id: node.peerId.toString(), addrs: node.getMultiaddrs().map(String) })
    continue
  }
  // Each in its own time, so that one that waits does not hold up the next.
  commands[request.do](node, request).then(
    (result) => tell({ id: request.id, ok: result ?? null }),
    (error) => tell({ id: request.id, error: `${error.name}: ${error.message}` })
  )
}
