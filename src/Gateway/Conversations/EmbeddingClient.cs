using Herd.Contracts.Conversations;
using Herd.Gateway.Tenants;
using Herd.Grains.Accounting.Ledger;
using Herd.Inference.Text;

namespace Herd.Gateway.Conversations;

/// <summary>Embeds texts within the tenant's limits, and records what was computed.</summary>
internal sealed class EmbeddingClient(ModelTokens tokens, Quotas quotas, UsageRecorder usage, TimeProvider time)
{
    /// <summary>The conversation of all requests for embeddings in the ledger.</summary>
    private const string Conversation = "embeddings";

    public async Task<(IReadOnlyList<float[]> Vectors, int Tokens)> Embed(
        Tenant tenant, string model, IReadOnlyList<string> texts)
    {
        var expected = texts.Sum(text => text.Length) / TokenEstimate.CharactersPerToken;
        await using var quota = await quotas.Begin(tenant, expected, answer: 0);
        var made = await tokens.Embed(model, texts);
        quota.Charge(made.Tokens);
        await usage.Write(new UsageRecord
        {
            Turn = $"{Conversation}/{ConversationClient.NewTurnId()}",
            Tenant = tenant.Name,
            Key = tenant.Key,
            Model = model,
            Day = UsageDay.From(time.GetUtcNow()),
            State = UsageState.Completed,
            Usage = new Usage(made.Tokens, CompletionTokens: 0, CachedTokens: 0),
        });
        return (made.Vectors, made.Tokens);
    }
}
