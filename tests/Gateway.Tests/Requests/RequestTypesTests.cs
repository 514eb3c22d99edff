using Herd.Gateway.Anthropic;
using Herd.Gateway.Llama;
using Herd.Gateway.Ollama;
using Herd.Gateway.OpenAi;
using Herd.Gateway.OpenAi.Responses;

namespace Herd.Gateway.Tests.Requests;

public sealed class RequestTypesTests
{
    public static TheoryData<Type> Bodies =>
    [
        typeof(ChatRequest), typeof(TextRequest), typeof(EmbeddingRequest), typeof(ResponseRequest),
        typeof(ConversationRequest), typeof(MessagesRequest), typeof(OllamaRequest), typeof(OllamaEmbedRequest),
        typeof(OllamaShowRequest), typeof(TokenizeRequest), typeof(DetokenizeRequest),
    ];

    /// <summary>JSON null means what a missing field means, so every field of a body can be null.</summary>
    [Theory]
    [MemberData(nameof(Bodies))]
    public void Fields_OfABody_CanBeNull(Type body) => Assert.Empty(
        from type in WithParts(body)
        from property in type.GetProperties()
        where property.CanWrite
        where property.PropertyType.IsValueType && Nullable.GetUnderlyingType(property.PropertyType) is null
        select $"{type.Name}.{property.Name}");

    private static HashSet<Type> WithParts(Type body)
    {
        var found = new HashSet<Type>();
        var open = new Queue<Type>([body]);
        while (open.TryDequeue(out var type))
        {
            if (type.Assembly != typeof(ChatRequest).Assembly || !found.Add(type))
            {
                continue;
            }

            foreach (var part in type.GetProperties().Select(property => property.PropertyType))
            {
                open.Enqueue(part);
                foreach (var argument in part.GetGenericArguments())
                {
                    open.Enqueue(argument);
                }
            }
        }

        return found;
    }
}
