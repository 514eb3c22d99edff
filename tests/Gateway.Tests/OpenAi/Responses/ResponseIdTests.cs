using FsCheck.Xunit;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using Herd.Gateway.OpenAi.Responses;

namespace Herd.Gateway.Tests.OpenAi.Responses;

public sealed class ResponseIdTests
{
    [Fact]
    public void Parse_WrittenId_IsTheSame()
    {
        var id = new ResponseId(ConversationClient.NewId(), ConversationClient.NewTurnId());

        Assert.Equal(id, ResponseId.Parse(id.ToString(), "id"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("resp_")]
    [InlineData("resp_0000000000000000000000000000000000000000000000000000000000000000a")]
    [InlineData("resp_000000000000000000000000000000000000000000000000000000000000000G")]
    [InlineData("msg__0000000000000000000000000000000000000000000000000000000000000000")]
    public void Parse_OtherText_IsNotFound(string text) =>
        Assert.Equal(
            HerdError.ResponseNotFound, Assert.Throws<HerdException>(() => ResponseId.Parse(text, "id")).Error);

    [Property(MaxTest = 300)]
    public bool Parse_AnyText_IsReadOrNotFound(string? text)
    {
        try
        {
            return ResponseId.Parse("resp_" + text, "id").ToString() == "resp_" + text;
        }
        catch (HerdException e)
        {
            return e.Error == HerdError.ResponseNotFound;
        }
    }
}
