using System.Security.Cryptography;
using System.Text;

namespace Herd.Grains.Conversations.Storage.Encryption;

/// <summary>
/// The keys that stored conversations are encrypted with (AES-256-GCM): docs/decisions/encryption.md. New records are
/// written with the first key, and those of the others are read. Without keys nothing is encrypted. Thread-safe.
/// </summary>
public sealed class StorageKeys
{
    private const string Prefix = "enc1:";
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int MaxNameLength = 32;

    private readonly List<(string Name, byte[] Key)> _keys;

    private StorageKeys(List<(string Name, byte[] Key)> keys) => _keys = keys;

    /// <summary>No keys.</summary>
    public static StorageKeys None { get; } = new([]);

    /// <summary>The names of the keys, the one for new records first.</summary>
    public IEnumerable<string> Names => _keys.Select(key => key.Name);

    /// <summary>The name of the key for new records; empty if they are not encrypted.</summary>
    public string Current => _keys is [var first, ..] ? first.Name : "";

    /// <summary>The key for the files of KV caches on a node's disk; null if they are not encrypted.</summary>
    internal byte[]? ForKvCaches => _keys is [var first, ..]
        ? HKDF.DeriveKey(HashAlgorithmName.SHA256, first.Key, KeyBytes, info: "herd kv file 1"u8.ToArray())
        : null;

    /// <summary>Reads the keys from a file; an empty path means none.</summary>
    /// <exception cref="InvalidDataException">It has a line that is no key. The message does not repeat it.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static StorageKeys Read(string path) => path.Length == 0 ? None : Parse(File.ReadAllText(path));

    /// <summary>Reads keys: in each line a name and, behind a space, 32 bytes in base64.</summary>
    /// <exception cref="InvalidDataException">A line is no key, or there is none.</exception>
    public static StorageKeys Parse(string text)
    {
        var keys = new List<(string Name, byte[] Key)>();
        var number = 0;
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            number++;
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var key = new byte[KeyBytes + 1];
            if (parts is not [var name, var secret] || !IsName(name)
                || !Convert.TryFromBase64String(secret, key, out var length) || length != KeyBytes)
            {
                throw new InvalidDataException(
                    $"its line {number} is not a name (of letters, digits and '-') and {KeyBytes} bytes in base64.");
            }

            if (keys.Exists(other => other.Name == name))
            {
                throw new InvalidDataException($"it has two keys with the name '{name}'.");
            }

            keys.Add((name, key[..KeyBytes]));
        }

        return keys.Count > 0 ? new StorageKeys(keys) : throw new InvalidDataException("it has no key.");
    }

    /// <summary>Encrypts a record with the first key. Without keys it stays as it is.</summary>
    /// <param name="text">The record.</param>
    /// <param name="place">Where it is stored. It cannot be read from another place.</param>
    public string Encrypt(string text, string place)
    {
        if (_keys is not [var first, ..])
        {
            return text;
        }

        var plain = Encoding.UTF8.GetBytes(text);
        var stored = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = stored.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(first.Key, TagBytes);
        aes.Encrypt(
            nonce,
            plain,
            stored.AsSpan(NonceBytes + TagBytes),
            stored.AsSpan(NonceBytes, TagBytes),
            Encoding.UTF8.GetBytes(place));
        return $"{Prefix}{first.Name}:{Convert.ToBase64String(stored)}";
    }

    /// <summary>Reads a record, encrypted or not.</summary>
    /// <exception cref="InvalidDataException">Its key is missing, or it is not what was stored there.</exception>
    public string Decrypt(string stored, string place)
    {
        if (NameOf(stored) is not { Length: > 0 } name)
        {
            return stored;
        }

        if (_keys.Find(key => key.Name == name).Key is not { } secret)
        {
            throw new InvalidDataException(
                $"It is encrypted with the key '{name}'. Add that to the file of Cluster:StorageKeysFile.");
        }

        try
        {
            var bytes = Convert.FromBase64String(stored[(Prefix.Length + name.Length + 1)..]);
            var plain = new byte[Math.Max(0, bytes.Length - NonceBytes - TagBytes)];
            using var aes = new AesGcm(secret, TagBytes);
            aes.Decrypt(
                bytes.AsSpan(0, NonceBytes),
                bytes.AsSpan(NonceBytes + TagBytes),
                bytes.AsSpan(NonceBytes, TagBytes),
                plain,
                Encoding.UTF8.GetBytes(place));
            return Encoding.UTF8.GetString(plain);
        }
        catch (Exception e) when (e is CryptographicException or FormatException or ArgumentException)
        {
            throw new InvalidDataException(
                $"It is damaged, was moved from another place, or the key '{name}' is another one than it was.", e);
        }
    }

    /// <summary>The name of the key of a record; empty if it is not encrypted.</summary>
    public static string NameOf(string stored)
    {
        if (!stored.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return "";
        }

        var end = stored.IndexOf(':', Prefix.Length);
        return end < 0 ? "" : stored[Prefix.Length..end];
    }

    private static bool IsName(string name) => name.Length is > 0 and <= MaxNameLength
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-');
}
