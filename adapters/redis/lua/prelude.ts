/**
 * What all scripts begin with. Their only key is the beginning of the room's keys, which all have one hash tag. Texts and bytes are written as netstrings,
 * \`5:hello\`: payloads are never looked into.
 *
 * | key | |
 * |---|---|
 * | m | hash: the room's life, its feed's number and tag, and for how long keys are kept |
 * | l, n | hashes: logs by topic, and their numbers for the wire |
 * | t:topic | list: the entries of a log |
 * | s:session, o:session, ot:session | hash, list and set: a session, its own log, and the tags there |
 * | e | sorted set: nodes, by the end of their lease |
 * | k:node, h:node, q:node | hash and sets: a node, the sessions that it holds, its present connections without a session |
 * | d | set: dead nodes that still hold sessions |
 * | p | hash: who is present, by connection |
 */
export const prelude: string = String.raw`
local call, base, at = redis.call, KEYS[1], 4
local publishing, keep, lease, remember = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local function arg() at = at + 1 return ARGV[at] end
local function num() return tonumber(arg()) end
local function put(out, ...)
  local n, list = #out, { ... }
  for i = 1, #list do
    local s = tostring(list[i])
    out[n + 1], out[n + 2], n = #s .. ':', s, n + 2
  end
end
-- The field at an index, and where the next one begins.
local function field(s, i)
  local _, colon, length = string.find(s, '^(%d+):', i)
  local ends = colon + tonumber(length)
  return string.sub(s, colon + 1, ends), ends + 1
end
local meta = call('HMGET', base .. 'm', 'life', 'n', 't', 'keep')
local life, feed, feedTag = meta[1] or '', tonumber(meta[2] or '0'), meta[3] or '0'
keep = math.max(keep, tonumber(meta[4] or '0'))
-- Keys that a step has begun: what nobody comes back to ends some day.
local begun = {}
local function begin(name) begun[base .. name] = true end
local function keepBegun()
  for key in pairs(begun) do call('PEXPIRE', key, string.format('%.0f', keep)) end
end
local function hset(name, key, value)
  if call('HSET', base .. name, key, value) == 1 then begin(name) end
end
local function sadd(name, value)
  if call('SADD', base .. name, value) == 1 then begin(name) end
end
local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function isAlive(node) return call('ZSCORE', base .. 'e', node) ~= false end
-- What nodes are told at the end of the step.
local changes, changed, notices, notified = {}, 0, {}, {}
local function change(...)
  changed = changed + 1
  put(changes, ...)
end
local function notify(node, ...)
  if notices[node] == nil then notices[node], notified[node] = {}, 0 end
  notified[node] = notified[node] + 1
  put(notices[node], ...)
end
local function tell(tag)
  if changed > 0 then
    local frame = {}
    put(frame, feed + 1, tag, feedTag, changed)
    feed, feedTag = feed + 1, tag
    call('HSET', base .. 'm', 'n', feed, 't', tag)
    call(publishing, base .. 'f', table.concat(frame) .. table.concat(changes))
  end
  for node, items in pairs(notices) do
    -- Nobody is there to hear it: who claims the session reads it.
    if isAlive(node) then
      local head = call('HMGET', base .. 'k:' .. node, 'n', 't')
      local frame = {}
      put(frame, (head[1] or 0) + 1, tag, head[2] or '0', notified[node])
      call('HSET', base .. 'k:' .. node, 'n', (head[1] or 0) + 1, 't', tag)
      call(publishing, base .. 'f:' .. node, table.concat(frame) .. table.concat(items))
    end
  end
end
local function orphan(node)
  if call('SCARD', base .. 'h:' .. node) > 0 then sadd('d', node) end
end
-- Why the node may do nothing.
local function refusal(node, itsLife)
  if itsLife ~= life then return '!other' end
  if isAlive(node) then return nil end
  orphan(node)
  return '!expelled'
end
`;
