using System.Net;
using Herd.V1;
using static Herd.Cluster.Tests.TinyCluster;

namespace Herd.Cluster.Tests;

/// <summary>Turns that run at the same time.</summary>
[Collection(nameof(TinyCluster))]
public sealed class ConcurrencyTests(TinyCluster cluster)
{
    [Fact]
    public async Task Converse_ThirtyTwoAtOnce_EachEqualsWhatItGivesAlone()
    {
        const int Streams = 32;
        var texts = Enumerable.Range(0, Streams)
            .Select(i => $"{i} {new string((char)('a' + i % 26), 1 + i * 2)}")
            .ToList();
        var alone = new List<string>();
        foreach (var text in texts)
        {
            alone.Add(await Answer(text));
        }

        var together = await Task.WhenAll(texts.Select(Answer));

        Assert.Equal(alone, together);
        Assert.True(alone.Distinct().Count() > Streams / 2);
    }

    [Fact]
    public async Task Completions_SameRequestAtOnce_AllAnswerTheSame()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ =>
        {
            using var response = await cluster.Complete(
                """{"model":"tiny","temperature":0,"max_tokens":12,"messages":[{"role":"user","content":"same"}]}""");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return (await Json(response)).GetProperty("choices")[0].GetProperty("message")
                .GetProperty("content")
                .GetString();
        }));

        Assert.Single(answers.Distinct());
    }

    private async Task<string> Answer(string text) => (await cluster.Converse(new ConverseRequest
    {
        ConversationId = await cluster.NewConversation(),
        Text = text,
        MaxTokens = 40,
        Sampling = new Sampling { Temperature = 0 },
    })).Answer;
}
