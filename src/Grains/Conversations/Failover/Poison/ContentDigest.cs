using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Herd.Contracts.Conversations;
using Herd.Grains.Conversations.Turns;
using Herd.Grains.Hosting.Identity;

namespace Herd.Grains.Conversations.Failover.Poison;

/// <summary>
/// Digests of what a turn computes: its model and the messages of its prompt. They are keyed by the cluster's secret,
/// so nobody without it can test a guess of the content, and they differ between tenants.
/// </summary>
internal sealed class ContentDigest(ClusterKey key)
{
    private readonly byte[] _key = key.PoisonTurns;

    /// <returns>64 lower-case hexadecimal digits.</returns>
    public string Compute(string tenant, string model, Conversation conversation)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        Append(hmac, tenant);
        Append(hmac, model);
        foreach (var message in History.Prompt(conversation.System, conversation.Turns, model))
        {
            Append(hmac, message.Role.ToString());
            Append(hmac, message.Text);
        }

        return Convert.ToHexStringLower(hmac.GetHashAndReset());
    }

    /// <summary>The length comes first, so that different lists of texts never give the same bytes.</summary>
    private static void Append(IncrementalHash hmac, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var length = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hmac.AppendData(length);
        hmac.AppendData(bytes);
    }
}
