"""The filters that Envoy runs for services, in Lua: plain text, for `EnvoyExtensionPolicy`."""

from __future__ import annotations

from typing import Final

ASSIGN: Final = r"""-- Picks the variant of an experiment for each request before the door looks for its route.
-- The settings come as the filter's context; see components/kubernetes/variants/experiment.py.
local bit = bit
local METADATA = "seawall.variants"
local VARIANT = "x-seawall-variant"
local STABLE = "stable"
local BUCKETS = 10000
local LONGEST_USER = 1024

local K = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

local function word(number)
  local function byte(power) return math.floor(number / power) % 256 end
  return string.char(byte(16777216), byte(65536), byte(256), byte(1))
end

-- FIPS 180-4; Envoy's Lua has no hash of its own.
local function sha256(text)
  local band, bxor, bnot, ror, rshift, tobit = bit.band, bit.bxor, bit.bnot, bit.ror, bit.rshift, bit.tobit
  local length = #text
  text = text .. "\128" .. string.rep("\0", (55 - length) % 64) .. word(0) .. word(length * 8)
  local h = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  }
  local w = {}
  for start = 1, #text, 64 do
    for i = 0, 15 do
      local a, b, c, d = string.byte(text, start + 4 * i, start + 4 * i + 3)
      w[i] = tobit(a * 16777216 + b * 65536 + c * 256 + d)
    end
    for i = 16, 63 do
      local x, y = w[i - 15], w[i - 2]
      local s0 = bxor(ror(x, 7), ror(x, 18), rshift(x, 3))
      local s1 = bxor(ror(y, 17), ror(y, 19), rshift(y, 10))
      w[i] = tobit(w[i - 16] + s0 + w[i - 7] + s1)
    end
    local a, b, c, d, e, f, g, last = unpack(h)
    for i = 0, 63 do
      local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
      local first = tobit(last + s1 + bxor(band(e, f), band(bnot(e), g)) + K[i + 1] + w[i])
      local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
      local second = tobit(s0 + bxor(band(a, b), band(a, c), band(b, c)))
      last, g, f, e, d, c, b, a = g, f, e, tobit(d + first), c, b, a, tobit(first + second)
    end
    h = {
      tobit(h[1] + a), tobit(h[2] + b), tobit(h[3] + c), tobit(h[4] + d),
      tobit(h[5] + e), tobit(h[6] + f), tobit(h[7] + g), tobit(h[8] + last),
    }
  end
  local told = ""
  for i = 1, 8 do told = told .. bit.tohex(h[i]) end
  return told
end

local function one_value(headers, name)
  -- Two values are nobody's: one of them may be a client's own.
  if headers:getNumValues(name) ~= 1 then return nil end
  return headers:get(name)
end

local function cookie(headers, name)
  local sent = headers:get("cookie")
  if sent == nil then return nil end
  for part in string.gmatch(sent, "[^;,]+") do
    local key, value = string.match(part, "^%s*([^=%s]+)=([^%s]*)%s*$")
    if key == name and #value == 32 and string.match(value, "^[0-9a-f]+$") then return value end
  end
  return nil
end

local function claim(handle, name)
  local verified = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn")
  if verified == nil then return nil end
  for _, payload in pairs(verified) do
    if type(payload) == "table" and type(payload[name]) == "string" then return payload[name] end
  end
  return nil
end

-- Who asks: the user, and the name of a visitor who is new.
local function asker(handle, context)
  local kind, headers = context:get("kind"), handle:headers()
  if kind == "user-claim" then return claim(handle, context:get("name")), nil end
  if kind == "user-header" then return one_value(headers, context:get("name")), nil end
  local known = cookie(headers, context:get("name"))
  if known ~= nil then return known, nil end
  local request = one_value(headers, "x-request-id")
  if request == nil then return nil, nil end
  local visitor = string.sub(sha256(context:get("salt") .. "\0visitor\0" .. request), 1, 32)
  return visitor, visitor
end

local function assigned(handle, context)
  if context:get("kind") == "header" then
    local value = one_value(handle:headers(), context:get("name"))
    return value ~= nil and context:get("values")[value] or STABLE, "", nil
  end
  local user, visitor = asker(handle, context)
  if user == nil or user == "" or #user > LONGEST_USER then return STABLE, nil, nil end
  local digest = sha256(context:get("salt") .. "\0user\0" .. context:get("experiment") .. "\0" .. user)
  local bucket = tonumber(string.sub(digest, 1, 8), 16) % BUCKETS
  local told = string.sub(digest, 17, 48)
  for _, range in ipairs(context:get("ranges")) do
    if bucket >= range["from"] and bucket < range["to"] then return range["variant"], told, visitor end
  end
  return STABLE, told, visitor
end

function envoy_on_request(handle)
  if bit == nil then return end -- in the validator of Envoy Gateway, which is no LuaJIT
  local context = handle:filterContext()
  local experiment = context:get("experiment")
  local variant, user, visitor = assigned(handle, context)
  handle:headers():remove(VARIANT)
  handle:headers():add(VARIANT, variant)
  local counted = user == nil and "unassigned" or variant
  handle:stats():counter("seawall_exposures." .. experiment .. "." .. counted):inc()
  if user == nil then return end
  local metadata = handle:streamInfo():dynamicMetadata()
  metadata:set(METADATA, "experiment", experiment)
  metadata:set(METADATA, "variant", variant)
  metadata:set(METADATA, "user", user)
  if visitor ~= nil then metadata:set(METADATA, "visitor", visitor) end
end

function envoy_on_response(handle)
  if bit == nil then return end
  local told = handle:streamInfo():dynamicMetadata():get(METADATA)
  if told == nil or told["visitor"] == nil then return end
  local context = handle:filterContext()
  handle:headers():add("set-cookie", context:get("name") .. "=" .. told["visitor"]
    .. "; Max-Age=" .. string.format("%d", context:get("seconds")) .. "; Path=/; Secure; HttpOnly; SameSite=Lax")
end
"""
"""Picks a user's variant before routing. Envoy's LuaJIT has `bit`; the validator of Envoy Gateway 1.9.1 has not."""

COUNT_FALLBACKS: Final = r"""-- Counts the answers that a fallback gave; the route says so in a header.
function envoy_on_response(handle)
  local service = handle:headers():get("x-seawall-fallback")
  if service ~= nil and handle.stats ~= nil then
    handle:stats():counter("seawall_fallback_answers." .. service):inc()
  end
end
"""
"""Counts answers of fallbacks."""
