namespace Herd.Contracts;

/// <summary>
/// Builds grain keys of several parts. A part's own delimiters are escaped, so different parts never make the same key.
/// </summary>
public static class GrainKey
{
    public static string Conversation(string tenant, string conversation) => Join(tenant, conversation);

    /// <summary>Begins with the node, where placement looks for it.</summary>
    public static string Session(string node, string tenant, string conversation, string model) =>
        Join(node, tenant, conversation, model);

    public static string[] Split(string key) => [.. key.Split('/').Select(Uri.UnescapeDataString)];

    private static string Join(params ReadOnlySpan<string> parts)
    {
        var escaped = new string[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            escaped[i] = Uri.EscapeDataString(parts[i]);
        }

        return string.Join('/', escaped);
    }
}
